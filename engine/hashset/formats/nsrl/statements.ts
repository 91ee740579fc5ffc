import { malformed } from '../byte-window.ts';

/** A literal of a statement; null is NULL. Numbers stay as they are written. */
export type SqlValue = string | null;

/** What a statement of a delta says of one row, columns in lower case. */
export type RowChange =
  | { readonly change: 'insert'; readonly row: ReadonlyMap<string, SqlValue> }
  | { readonly change: 'delete'; readonly where: ReadonlyMap<string, SqlValue> }
  | {
      readonly change: 'update';
      readonly where: ReadonlyMap<string, SqlValue>;
      readonly set: ReadonlyMap<string, SqlValue>;
    };

export interface Statement {
  /** begin, commit: of a transaction. rows: changes of one table. passed: of no meaning here, such as a PRAGMA. */
  readonly kind: 'begin' | 'commit' | 'rows' | 'passed';
  /** In upper case; '' unless `rows`. */
  readonly table: string;
  readonly changes: readonly RowChange[];
}

type Token = { readonly kind: 'word' | 'text' | 'number' | 'sign'; readonly text: string };

/**
 * Reads one statement as data: INSERT of literal values, UPDATE and DELETE by columns that equal literals, begin and end of a
 * transaction. Nothing is ever executed, and whatever else a statement may be refuses the file.
 * @param offset where it begins, for the message
 * @throws HomewardError HW_SET_DAMAGED
 */
export function readStatement(text: string, offset: number): Statement {
  const reader = new StatementReader(tokensOf(text, offset), offset);
  return reader.statement();
}

const TOKEN =
  /\s+|--[^\n]*|\/\*[\s\S]*?\*\/|'((?:[^']|'')*)'|"((?:[^"]|"")*)"|`([^`]*)`|\[([^\]]*)\]|([A-Za-z_][A-Za-z0-9_$]*)|([-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)|([(),=;.])/y;

function tokensOf(text: string, offset: number): Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const at = TOKEN.lastIndex;
    const found = TOKEN.exec(text);
    if (found === null)
      throw malformed(
        'NSRL delta',
        offset + at,
        `${JSON.stringify(text.slice(at, at + 20))}, which is not read as data,`,
      );
    const [, literal, quoted, ticked, bracketed, word, number, sign] = found;
    if (literal !== undefined) tokens.push({ kind: 'text', text: literal.replaceAll("''", "'") });
    else if (quoted !== undefined) tokens.push({ kind: 'word', text: quoted.replaceAll('""', '"') });
    else if (word !== undefined || ticked !== undefined || bracketed !== undefined)
      tokens.push({ kind: 'word', text: word ?? ticked ?? bracketed ?? '' });
    else if (number !== undefined) tokens.push({ kind: 'number', text: number });
    else if (sign !== undefined) tokens.push({ kind: 'sign', text: sign });
  }
  return tokens;
}

class StatementReader {
  readonly #tokens: readonly Token[];
  readonly #offset: number;
  #at = 0;

  constructor(tokens: readonly Token[], offset: number) {
    this.#tokens = tokens;
    this.#offset = offset;
  }

  statement(): Statement {
    const first = this.#word();
    switch (first) {
      case 'BEGIN':
        return { kind: 'begin', table: '', changes: [] };
      case 'COMMIT':
      case 'END':
        return { kind: 'commit', table: '', changes: [] };
      case 'PRAGMA':
        return { kind: 'passed', table: '', changes: [] };
      case 'INSERT':
        return this.#whole(this.#insert());
      case 'REPLACE':
        return this.#whole(this.#into());
      case 'DELETE':
        return this.#whole(this.#delete());
      case 'UPDATE':
        return this.#whole(this.#update());
      default:
        throw this.#refused(first);
    }
  }

  #whole(statement: Statement): Statement {
    if (this.#at < this.#tokens.length) throw this.#refused(this.#tokens[this.#at]?.text ?? '');
    return statement;
  }

  #insert(): Statement {
    if (this.#takes('OR')) this.#word();
    return this.#into();
  }

  #into(): Statement {
    this.#keyword('INTO');
    const table = this.#table();
    const columns = this.#list(() => this.#column());
    this.#keyword('VALUES');
    const changes: RowChange[] = [];
    do {
      const values = this.#list(() => this.#value());
      if (values.length !== columns.length)
        throw this.#refused(`${values.length} values for ${columns.length} columns`);
      changes.push({ change: 'insert', row: new Map(columns.map((column, at) => [column, values[at] ?? null])) });
    } while (this.#takesSign(','));
    return { kind: 'rows', table, changes };
  }

  #delete(): Statement {
    this.#keyword('FROM');
    const table = this.#table();
    return { kind: 'rows', table, changes: [{ change: 'delete', where: this.#where() }] };
  }

  #update(): Statement {
    if (this.#takes('OR')) this.#word();
    const table = this.#table();
    this.#keyword('SET');
    const set = new Map<string, SqlValue>();
    do set.set(...this.#equation());
    while (this.#takesSign(','));
    return { kind: 'rows', table, changes: [{ change: 'update', set, where: this.#where() }] };
  }

  #where(): ReadonlyMap<string, SqlValue> {
    this.#keyword('WHERE');
    const where = new Map<string, SqlValue>();
    do where.set(...this.#equation());
    while (this.#takes('AND'));
    return where;
  }

  #equation(): [string, SqlValue] {
    const column = this.#column();
    if (!this.#takesSign('=')) this.#keyword('IS');
    return [column, this.#value()];
  }

  #list<T>(element: () => T): T[] {
    this.#sign('(');
    const found: T[] = [];
    do found.push(element());
    while (this.#takesSign(','));
    this.#sign(')');
    return found;
  }

  /** The last part of `main.FILE`. */
  #table(): string {
    let name = this.#name();
    while (this.#takesSign('.')) name = this.#name();
    return name.toUpperCase();
  }

  #column(): string {
    return this.#name().toLowerCase();
  }

  #value(): SqlValue {
    const token = this.#next();
    if (token.kind === 'text' || token.kind === 'number') return token.text;
    if (token.kind === 'word' && token.text.toUpperCase() === 'NULL') return null;
    throw this.#refused(token.text);
  }

  #name(): string {
    const token = this.#next();
    if (token.kind !== 'word') throw this.#refused(token.text);
    return token.text;
  }

  #word(): string {
    return this.#name().toUpperCase();
  }

  #keyword(word: string): void {
    const found = this.#word();
    if (found !== word) throw this.#refused(found);
  }

  #sign(sign: string): void {
    const token = this.#next();
    if (token.kind !== 'sign' || token.text !== sign) throw this.#refused(token.text);
  }

  #takes(word: string): boolean {
    const token = this.#tokens[this.#at];
    if (token?.kind !== 'word' || token.text.toUpperCase() !== word) return false;
    this.#at += 1;
    return true;
  }

  #takesSign(sign: string): boolean {
    const token = this.#tokens[this.#at];
    if (token?.kind !== 'sign' || token.text !== sign) return false;
    this.#at += 1;
    return true;
  }

  #next(): Token {
    const token = this.#tokens[this.#at];
    if (token === undefined) throw this.#refused('the end of the statement');
    this.#at += 1;
    return token;
  }

  #refused(found: string) {
    return malformed(
      'NSRL delta',
      this.#offset,
      `a statement that is not read as data (${JSON.stringify(found.slice(0, 80))})`,
    );
  }
}
