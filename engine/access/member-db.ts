import {
  type AgreementTerms,
  type Member,
  MODALITIES,
  ORGANISATION_PATTERN,
  type Role,
  TLP_LEVELS,
  UUID_PATTERN,
} from '../../schemas/access.ts';
import { HomewardError } from '../../schemas/error.ts';
import type { Capabilities, Db, Queryable, SqlParam, Transaction } from '../store/db.ts';
import type { RowShape } from '../store/row-shape.ts';

/**
 * How far the policies of rows let a member see (0004-access.sql). home: everything. sets: what is known, and no case. cases: the
 * cases that are assigned and what the own organisation gave. own: what the own organisation gave. none: no row.
 */
export type Scope = 'home' | 'sets' | 'cases' | 'own' | 'none';

const CASE_ROLES: readonly Role[] = ['specialist', 'lab', 'partner', 'supervisor'];
const SCOPE_OF_TIER: Readonly<Record<AgreementTerms['tier'], Scope>> = {
  embedded: 'cases',
  accredited: 'own',
  associated: 'none',
};

/** What a member sees: those who administer or audit see no case, whatever their organisation is. */
export function scopeOf(member: Pick<Member, 'roles' | 'agreement'>): Scope {
  const worksOnCases = member.roles.some((one) => CASE_ROLES.includes(one));
  if (member.agreement !== null) return worksOnCases ? SCOPE_OF_TIER[member.agreement.tier] : 'none';
  if (worksOnCases) return 'home';
  return member.roles.includes('administrator') ? 'sets' : 'none';
}

/**
 * The database as a member sees it: every transaction and every single statement runs in the role homeward_member, under the policies of
 * rows, with who asks in its settings. It reads; what a member may write, the engine writes for him after `admit`. Costs three round
 * trips beside the statement itself. Closing it closes nothing.
 * Scripts and COPY are refused, for COPY goes round the policies on PGlite.
 */
export function memberDb(db: Db, member: Member): Db {
  return new MemberDb(db, settingsOf(member));
}

class MemberDb implements Db {
  readonly #db: Db;
  readonly #settings: string;

  constructor(db: Db, settings: string) {
    this.#db = db;
    this.#settings = settings;
  }

  get capabilities(): Capabilities {
    return this.#db.capabilities;
  }

  async transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    return await this.#db.transaction(async (tx) => {
      await tx.script(this.#settings);
      return await work(new MemberTransaction(tx));
    });
  }

  async query<Row>(sql: string, params: readonly SqlParam[] = []): Promise<Row[]> {
    return await this.transaction(async (tx) => await tx.query<Row>(sql, params));
  }

  async read<Row>(shape: RowShape<Row>, sql: string, params: readonly SqlParam[] = []): Promise<Row[]> {
    return await this.transaction(async (tx) => await tx.read(shape, sql, params));
  }

  async execute(sql: string, params: readonly SqlParam[] = []): Promise<number> {
    return await this.transaction(async (tx) => await tx.execute(sql, params));
  }

  async listen(): Promise<AsyncDisposable> {
    throw refused('a channel to listen on');
  }

  async close(): Promise<void> {}
}

class MemberTransaction implements Transaction {
  readonly #tx: Queryable;

  constructor(tx: Queryable) {
    this.#tx = tx;
  }

  async query<Row>(sql: string, params: readonly SqlParam[] = []): Promise<Row[]> {
    return await this.#tx.query<Row>(sql, params);
  }

  async read<Row>(shape: RowShape<Row>, sql: string, params: readonly SqlParam[] = []): Promise<Row[]> {
    return await this.#tx.read(shape, sql, params);
  }

  async execute(sql: string, params: readonly SqlParam[] = []): Promise<number> {
    return await this.#tx.execute(sql, params);
  }

  async script(): Promise<void> {
    throw refused('a script');
  }

  async copyIn(): Promise<number> {
    throw refused('a COPY');
  }

  copyOut(): AsyncIterable<Uint8Array> {
    throw refused('a COPY');
  }
}

/** One script for all settings: they are parts of the SQL, so each is held against its pattern, wherever the member came from. */
function settingsOf(member: Member): string {
  const { agreement } = member;
  const settings = {
    scope: scopeOf(member),
    organisation: checked(member.organisationId, ORGANISATION_PATTERN),
    principal: checked(member.principalId, UUID_PATTERN),
    modalities: MODALITIES.filter((one) => agreement === null || agreement.modalities.includes(one)).join(','),
    // Its rank, as tlp_rank gives it; beyond the list nothing is allowed.
    tlp: String(agreement === null ? TLP_LEVELS.length : TLP_LEVELS.indexOf(agreement.highestTlp)),
  };
  const lines = Object.entries(settings).map(([name, value]) => `set local homeward.${name} = '${value}';`);
  return `${lines.join(' ')} set local role homeward_member;`;
}

function checked(value: string, pattern: string): string {
  if (new RegExp(pattern).test(value)) return value;
  throw new HomewardError(
    'HW_INTERNAL',
    'expected a member with an organisation and a principal of the declared form, received another one; report this',
  );
}

function refused(what: string): HomewardError {
  return new HomewardError(
    'HW_INTERNAL',
    `expected single statements in the name of a member, received ${what}, which the policies of rows do not bind; report this`,
  );
}
