import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { Type } from 'typebox';
import { HomewardError } from '../../schemas/error.ts';
import { STORE_ENGINES } from '../../test/store-engines.ts';
import { CopyEncoder, decodeCopy } from './binary-copy.ts';
import { type Db, jsonParam, storableText } from './db.ts';
import { migrate, migrations } from './migrate.ts';
import { bool, bytes, integer, json, nullable, oneOf, real, row, text, timestamp } from './row-shape.ts';
import { isRetriable, sqlStateOf } from './sqlstate.ts';

const anyText = fc.string({ unit: 'binary', maxLength: 40 });
const anyBytes = fc.uint8Array({ maxLength: 80 }).map((value) => Buffer.from(value));
const hash = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((value) => Buffer.from(value));
/** Within what both PostgreSQL and Date can express, in whole milliseconds. */
const anyTime = fc.date({ min: new Date('0100-01-01'), max: new Date('9999-01-01'), noInvalidDate: true });
const safeInteger = fc.maxSafeInteger();

const isError = (code: string) => (error: unknown) => error instanceof HomewardError && error.code === code;

for (const engine of STORE_ENGINES) {
  describe(`store on ${engine.name}`, engine.options, () => {
    let db: Db;
    before(async () => {
      db = await engine.open();
    });
    after(async () => await db.close());

    it('gives every value back as it went in', async () => {
      const shape = row({
        number: integer,
        content: bytes,
        words: text,
        at: timestamp,
        yes: bool,
        half: real,
        tree: json(Type.Unknown()),
        gone: nullable(text),
      });
      await fc.assert(
        fc.asyncProperty(
          safeInteger,
          anyBytes,
          anyText,
          anyTime,
          fc.boolean(),
          fc.double({ noNaN: true, noDefaultInfinity: true }),
          fc.jsonValue(),
          async (number, content, words, at, yes, half, tree) => {
            const [got] = await db.read(
              shape,
              'select $1::int8 as number, $2::bytea as content, $3::text as words, $4::timestamptz as at, $5::bool as yes, $6::float8 as half, $7::jsonb as tree, $8::text as gone',
              [number, content, storableText(words), at.toISOString(), yes, half, jsonParam(tree), null],
            );
            assert.deepEqual(got, {
              number: Object.is(number, -0) ? 0 : number,
              content,
              words: storableText(words),
              at: at.toISOString(),
              yes,
              // PostgreSQL keeps the sign of a zero; JSON.stringify does not.
              half,
              tree: JSON.parse(jsonParam(tree)),
              gone: null,
            });
          },
        ),
        // The sign of a zero was lost on its way once, and chance draws it seldom.
        { numRuns: 60, examples: [[0, Buffer.alloc(0), '', new Date(0), false, -0, []]] },
      );
    });

    it('takes arrays of any text, bytes and numbers, nulls among them', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.tuple(fc.option(anyText), fc.option(anyBytes), fc.option(safeInteger)), { maxLength: 8 }),
          async (rows) => {
            const got = await db.read(
              row({ words: nullable(text), content: nullable(bytes), number: nullable(integer) }),
              'select words, content, number from unnest($1::text[], $2::bytea[], $3::int8[]) with ordinality as t(words, content, number, place) order by place',
              [
                rows.map(([words]) => (words === null ? null : storableText(words))),
                rows.map(([, content]) => content),
                rows.map(([, , number]) => number),
              ],
            );
            assert.deepEqual(
              got,
              rows.map(([words, content, number]) => ({
                words: words === null ? null : storableText(words),
                content,
                number: Object.is(number, -0) ? 0 : number,
              })),
            );
          },
        ),
        { numRuns: 60 },
      );
    });

    it('refuses a number that is too large to be exact, and a column of another type', async () => {
      await assert.rejects(db.read(row({ n: integer }), 'select 9007199254740993::int8 as n'), isError('HW_INTERNAL'));
      await assert.rejects(db.read(row({ n: integer }), "select 'one' as n"), isError('HW_INTERNAL'));
      await assert.rejects(db.read(row({ n: oneOf(['a', 'b']) }), "select 'c' as n"), isError('HW_INTERNAL'));
      await assert.rejects(db.read(row({ other: text }), "select 'c' as n"), isError('HW_INTERNAL'));
    });

    it('loads rows by binary COPY as an INSERT would, and unloads them again', async () => {
      const columns = ['small', 'plain', 'large', 'words', 'content', 'hash', 'at'];
      const rows = fc.array(
        fc.record({
          small: fc.option(fc.integer({ min: -32768, max: 32767 })),
          plain: fc.option(fc.integer()),
          large: fc.option(safeInteger),
          words: fc.option(anyText),
          content: fc.option(anyBytes),
          hash: fc.option(hash),
          at: fc.option(anyTime),
        }),
        { maxLength: 30 },
      );
      await fc.assert(
        fc.asyncProperty(rows, fc.integer({ min: 1, max: 400 }), async (given, chunkBytes) => {
          await db.transaction(async (tx) => {
            await tx.script(
              'create temp table copied (place serial, small int2, plain int4, large int8, words text, content bytea, hash bit(256), at timestamptz) on commit drop',
            );
            const copied = await tx.copyIn({ table: 'copied', columns }, encoded(given, chunkBytes));
            assert.equal(copied, given.length);
            const got = await tx.read(
              row({
                small: nullable(integer),
                plain: nullable(integer),
                large: nullable(integer),
                words: nullable(text),
                content: nullable(bytes),
                hash: nullable(text),
                at: nullable(timestamp),
              }),
              'select small, plain, large, words, content, hash::text as hash, at from copied order by place',
            );
            assert.deepEqual(
              got,
              given.map((one) => ({
                ...one,
                large: Object.is(one.large, -0) ? 0 : one.large,
                words: one.words === null ? null : storableText(one.words),
                hash:
                  one.hash === null ? null : [...one.hash].map((byte) => byte.toString(2).padStart(8, '0')).join(''),
                at: one.at?.toISOString() ?? null,
              })),
            );
            const unloaded: (string | null)[] = [];
            for await (const [content] of decodeCopy(tx.copyOut('select content from copied order by place')))
              unloaded.push(content?.toString('hex') ?? null);
            assert.deepEqual(
              unloaded,
              given.map(({ content }) => content?.toString('hex') ?? null),
            );
          });
        }),
        { numRuns: 40 },
      );
    });

    it('goes on after a COPY whose source failed, having kept nothing of it', async () => {
      await db.execute('create table halfway (n int8)');
      const broken = async function* (): AsyncGenerator<Uint8Array> {
        const encoder = new CopyEncoder(1000);
        encoder.beginRow(1);
        encoder.int8(1);
        yield encoder.take();
        throw new Error('the source is damaged');
      };
      await assert.rejects(
        db.transaction(async (tx) => await tx.copyIn({ table: 'halfway', columns: ['n'] }, broken())),
      );
      await assert.rejects(
        db.transaction(
          async (tx) => await tx.copyIn({ table: 'halfway', columns: ['n'] }, [Buffer.from('no rows at all')]),
        ),
        isError('HW_DATABASE'),
      );
      assert.deepEqual(await db.query('select count(*) as rows from halfway'), [{ rows: 0 }]);
    });

    it('says what went wrong by SQLSTATE, and shows neither SQL nor values', async () => {
      const failing = db.query("select 'a secret name'::int");
      await assert.rejects(failing, (error: unknown) => {
        assert.ok(error instanceof HomewardError);
        assert.equal(error.code, 'HW_DATABASE');
        assert.match(error.message, /SQLSTATE 22P02/);
        assert.doesNotMatch(error.message, /secret|select/);
        assert.equal(sqlStateOf(error), '22P02');
        assert.equal(isRetriable(error), false);
        return true;
      });
    });

    it('keeps all of a transaction or nothing', async () => {
      await db.execute('create table kept (n int)');
      await assert.rejects(
        db.transaction(async (tx) => {
          await tx.execute('insert into kept values (1)');
          throw new Error('changed my mind');
        }),
        /changed my mind/,
      );
      await db.transaction(async (tx) => void (await tx.execute('insert into kept values (2)')));
      assert.deepEqual(await db.query('select n from kept'), [{ n: 2 }]);
    });

    it('does not call a transaction kept in which an error was swallowed', async () => {
      await db.execute('create table swallowed (n int)');
      await assert.rejects(
        db.transaction(async (tx) => {
          await tx.execute('insert into swallowed values (1)');
          await tx.execute('insert into swallowed values (1/0)').catch(() => undefined);
        }),
        isError('HW_DATABASE'),
      );
      assert.deepEqual(await db.query('select n from swallowed'), []);
    });

    it('refuses the database beside a transaction, and a transaction after its end', async () => {
      await assert.rejects(
        db.transaction(async () => void (await db.query('select 1'))),
        isError('HW_INTERNAL'),
      );
      const late = await db.transaction(async (tx) => tx);
      await assert.rejects(late.query('select 1'), isError('HW_INTERNAL'));
    });

    it('serves transactions and statements that come at once, one after the other', async () => {
      await db.execute('create table counter (n int)');
      await db.execute('insert into counter values (0)');
      await Promise.all(
        Array.from({ length: 20 }, async () => {
          await db.transaction(async (tx) => {
            const [now] = await tx.read(row({ n: integer }), 'select n from counter for update');
            await tx.execute('update counter set n = $1', [(now?.n ?? 0) + 1]);
          });
        }),
      );
      assert.deepEqual(await db.query('select n from counter'), [{ n: 20 }]);
    });

    it('is migrated to the newest version and stays so', async () => {
      assert.deepEqual(await migrate(db), []);
      const [version] = await db.query<{ version: number }>('select max(version) as version from schema_migration');
      assert.equal(version?.version, (await migrations()).length);
    });

    it('refuses tables that a newer engine made, and changes nothing', async () => {
      await db.execute("insert into schema_migration (version, name) values (9999, 'from the future')");
      try {
        await assert.rejects(migrate(db), isError('HW_DATA_NEWER'));
        const [count] = await db.query<{ versions: number }>('select count(*) as versions from schema_migration');
        assert.equal(count?.versions, (await migrations()).length + 1);
      } finally {
        await db.execute('delete from schema_migration where version = 9999');
      }
    });
  });
}

interface CopiedRow {
  readonly small: number | null;
  readonly plain: number | null;
  readonly large: number | null;
  readonly words: string | null;
  readonly content: Buffer | null;
  readonly hash: Buffer | null;
  readonly at: Date | null;
}

function* encoded(rows: readonly CopiedRow[], chunkBytes: number): Generator<Uint8Array> {
  const encoder = new CopyEncoder(chunkBytes);
  const field = <T>(value: T | null, write: (value: T) => void): void =>
    value === null ? encoder.null() : write(value);
  for (const one of rows) {
    encoder.beginRow(7);
    field(one.small, (value) => encoder.int2(value));
    field(one.plain, (value) => encoder.int4(value));
    field(one.large, (value) => encoder.int8(value));
    field(one.words, (value) => encoder.text(storableText(value)));
    field(one.content, (value) => encoder.bytes(value));
    field(one.hash, (value) => encoder.bits256(value));
    field(one.at, (value) => encoder.timestamptz(value.getTime()));
    if (encoder.sizeBytes >= chunkBytes) yield encoder.take();
  }
  yield encoder.take();
}
