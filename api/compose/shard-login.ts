import { readFile, stat } from 'node:fs/promises';
import type { ShardServer } from '../../engine/shards/set-up.ts';
import { HomewardError } from '../../schemas/error.ts';

/** `name=postgresql://user@host:port/database[?sslmode=...]`, as it is given on the command line. */
export interface NamedShard {
  readonly name: string;
  readonly url: string;
}

export interface LoginSource {
  /** A file in the form of libpq's password file: host:port:database:user:password, `*` for any. */
  readonly passwordFile?: string | undefined;
  /** The password itself, out of an environment variable. */
  readonly password?: string | undefined;
}

const DEFAULT_PORT = 5432;
const OTHERS_MAY_READ = 0o077;

/**
 * Addresses and logins of shards. A password in an address is refused: arguments can be read by every user of a machine and stay in its history.
 * @throws HW_USAGE, HW_PATH_NOT_FOUND
 */
export async function shardServers(named: readonly NamedShard[], source: LoginSource): Promise<ShardServer[]> {
  const entries = source.passwordFile === undefined ? [] : await readPasswordFile(source.passwordFile);
  return named.map((shard) => {
    const address = addressOf(shard);
    return { ...address, password: source.password ?? passwordFor(entries, address) };
  });
}

function addressOf({ name, url: text }: NamedShard): Omit<ShardServer, 'password'> {
  const url = URL.canParse(text) ? new URL(text) : null;
  const database = url === null ? '' : decodeURIComponent(url.pathname.slice(1));
  const complete = url !== null && ['postgresql:', 'postgres:'].includes(url.protocol) && url.hostname !== '';
  if (!complete || url.username === '' || database === '' || !/^[a-z][a-z0-9-]{0,30}$/.test(name)) {
    throw new HomewardError(
      'HW_USAGE',
      `expected name=postgresql://user@host:port/database for a shard (the name of small letters, digits and -), received one of another form, named ${JSON.stringify(name.slice(0, 40))}; see homeward db shard add --help`,
    );
  }
  if (url.password !== '') {
    throw new HomewardError(
      'HW_USAGE',
      `expected no password in the address of the shard ${name}, received one; put it into a password file (--password-file) or an environment variable (--password-variable), and change it: arguments can be read by others`,
    );
  }
  return {
    name,
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? DEFAULT_PORT : Number(url.port),
    database,
    user: decodeURIComponent(url.username),
    sslMode: url.searchParams.get('sslmode'),
  };
}

interface PasswordEntry {
  readonly fields: readonly string[];
  readonly password: string;
}

async function readPasswordFile(file: string): Promise<PasswordEntry[]> {
  let text: string;
  try {
    const { mode } = await stat(file);
    if (process.platform !== 'win32' && (mode & OTHERS_MAY_READ) !== 0) {
      throw new HomewardError(
        'HW_USAGE',
        `expected a password file that only its owner can read, received one with the rights ${(mode & 0o777).toString(8)}; chmod 600 it`,
      );
    }
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof HomewardError) throw error;
    throw new HomewardError(
      'HW_PATH_NOT_FOUND',
      'expected a password file that can be read for --password-file, received none; check the path and its permissions',
      { cause: error },
    );
  }
  return parsePasswordFile(text);
}

/** The form of libpq's password file (PostgreSQL's manual, "The Password File"): `\:` and `\\` stand for themselves, `#` begins a comment. */
export function parsePasswordFile(text: string): PasswordEntry[] {
  return text.split(/\r?\n/).flatMap((line) => {
    if (line === '' || line.startsWith('#')) return [];
    const fields = [''];
    for (let at = 0; at < line.length; at += 1) {
      if (line[at] === ':' && fields.length < 5) fields.push('');
      else {
        if (line[at] === '\\' && at + 1 < line.length) at += 1;
        fields[fields.length - 1] += line[at] ?? '';
      }
    }
    const password = fields[4];
    return password === undefined ? [] : [{ fields: fields.slice(0, 4), password }];
  });
}

/** The first entry that fits, as libpq takes it; null where none does. */
export function passwordFor(
  entries: readonly PasswordEntry[],
  address: Pick<ShardServer, 'host' | 'port' | 'database' | 'user'>,
): string | null {
  const asked = [address.host, String(address.port), address.database, address.user];
  const found = entries.find(({ fields }) => fields.every((field, at) => field === '*' || field === asked[at]));
  return found?.password ?? null;
}
