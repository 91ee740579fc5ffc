import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { type AgreementTerms, type Member, ROLES, type Role, TIERS } from '../../schemas/access.ts';
import { STORE_ENGINES } from '../../test/store-engines.ts';
import type { Db } from '../store/db.ts';
import { integer, row, text } from '../store/row-shape.ts';
import { assignCase, openCase } from './cases.ts';
import { memberDb, scopeOf } from './member-db.ts';
import { setDerivationConsent } from './organisations.ts';
import { addPrincipal } from './principals.ts';
import { FIRST, isCode, seedOrganisation, TERMS } from './test-access-kit.ts';

/** Keys of rows by table, each one text that names it here. */
const TABLES = {
  batch: 'case_ref',
  item: `convert_from(path, 'UTF8')`,
  media: 'type',
  match: 'algorithm',
  model_match: 'algorithm',
  lead: 'lead_id::text',
  disposition: 'note',
  series: 'name',
  hash_set: 'name',
  case_file: 'case_ref',
} as const;
type Table = keyof typeof TABLES;

/** What no member may read, whoever he is. */
const NEVER = [
  'select sha256 from media',
  'select path_key from item',
  'select identity from batch',
  'select roots from batch',
  'select content_sha256 from hash_set',
  'select evidence from disposition',
  'select details from model_match',
  'select * from fingerprint',
  'select * from known_record',
  'select * from known_bits',
  'select * from searched_bits',
  'select * from known_photodna',
  'select * from face',
  'select * from face_vector',
  'select * from picture_vector',
  'select * from picture_keypoints',
  'select * from audit_entry',
  'select * from organisation',
  'select * from agreement',
  'select * from principal',
  'select * from api_key',
  'select * from case_member',
  'select * from look_up_day',
  `insert into lead (media_id, series_id, log10_likelihood_ratio) values (1, 1, 1)`,
  `update batch set case_id = null`,
  `delete from media`,
  `select note_known_change(1, 'withdrawn', 1, 1)`,
];

type Place = 'home' | 'own' | 'joint' | 'other';
const ALL: readonly Place[] = ['home', 'own', 'joint', 'other'];

for (const engine of STORE_ENGINES) {
  describe(`policies of rows on ${engine.name}`, engine.options, () => {
    let db: Db;
    /** The organisations of the test: the one that runs the engine, a partner, and another partner. */
    const ids: Record<'home' | 'own' | 'other', string> = { home: '', own: '', other: '' };
    const principals = new Map<string, string>();
    before(async () => {
      db = await engine.open();
      for (const [who, terms] of [
        ['home', 'home'],
        ['own', 'none'],
        ['other', 'none'],
      ] as const) {
        ids[who] = (await seedOrganisation(db, terms)).organisationId;
      }
      const joint = await openCase(db, { organisationId: ids.home, caseRef: 'joint', jointUntil: '2999-01-01' }, FIRST);
      for (const place of ['own', 'other', 'home'] as const) {
        await openCase(db, { organisationId: ids[place], caseRef: place, jointUntil: null }, FIRST);
      }
      for (const place of ALL) await plant(place, place === 'joint' ? ids.home : ids[place]);
      for (const who of ['home', 'own', 'other'] as const) {
        for (const role of ROLES) {
          if (role === 'administrator' && who !== 'home') continue;
          const principalId = await addPrincipal(
            db,
            { organisationId: ids[who], kind: 'key', label: `${who} ${role}`, roles: [role] },
            FIRST,
          );
          principals.set(`${who} ${role}`, principalId);
          if (who === 'own' && role !== 'auditor') await assignCase(db, { caseId: joint, principalId }, FIRST);
        }
      }
    });
    after(async () => await db.close());

    /** One row of every table, named after the place; its series and sets are the home organisation's, AMBER. */
    async function plant(place: Place, organisation: string): Promise<void> {
      const sha256 = randomBytes(32);
      await db.transaction(async (tx) => {
        await tx.execute(
          `insert into batch (batch_id, identity, case_ref, exhibit_ref, organisation, actor, mode, roots, pipeline_version, started_at)
           values (gen_random_uuid(), $1, $2, '1', $3, 'a', 'exact', '[]', '1', now())`,
          [sha256, place, organisation],
        );
        await tx.execute(`insert into media (sha256, sha1, md5, size_bytes, type) values ($1, $2, $3, 1, $4)`, [
          sha256,
          sha256.subarray(0, 20),
          sha256.subarray(0, 16),
          place,
        ]);
        await tx.execute(
          `insert into item (batch_id, path_key, path, media_id, type, outcome)
           select batch_id, $1, convert_to($2, 'UTF8'), media_id, 'image/png', 'done' from batch, media where identity = $1 and sha256 = $1`,
          [sha256, place],
        );
        await tx.execute(`insert into series (source, name) values ('source', $1)`, [place]);
        await tx.execute(
          `insert into hash_set (source, name, version, content_sha256, format, category_scheme, state, imported_by)
           values ('source', $1, 1, $2, 'ndjson', 'x', 'active', 'a')`,
          [place, sha256],
        );
        await tx.execute(
          `insert into match (media_id, set_id, record_id, method, algorithm, mode, pipeline_version, distance_bits, threshold_bits, series_id)
           select media_id, set_id, 1, 'sha256', $2, 'exact', '1', 0, 0, series_id from media, hash_set s, series r
            where sha256 = $1 and s.name = $2 and r.name = $2`,
          [sha256, place],
        );
        await tx.execute(
          `insert into model_match (media_id, method, algorithm, pipeline_version, distance, threshold, calibrated, log10_likelihood_ratio,
                                    gallery_size, series_id)
           select media_id, 'face', $2, '1', 0, 0, true, 1, 1, series_id from media, series r where sha256 = $1 and r.name = $2`,
          [sha256, place],
        );
        await tx.execute(
          `with opened as (
             insert into lead (media_id, series_id, log10_likelihood_ratio)
             select media_id, series_id, 1 from media, series r where sha256 = $1 and r.name = $2 returning lead_id)
           insert into disposition (lead_id, verdict, note, decided_by, evidence) select lead_id, 'unsure', $2, 'a', '{}' from opened`,
          [sha256, place],
        );
      });
    }

    function memberOf(
      who: 'home' | 'own' | 'other',
      role: Role,
      terms: Partial<Omit<AgreementTerms, 'agreementId'>> = {},
    ): Member {
      return {
        principalId: principals.get(`${who} ${role}`) ?? randomId(),
        kind: 'key',
        label: `${who} ${role}`,
        organisationId: ids[who],
        roles: [role],
        agreement:
          who === 'home' ? null : { ...TERMS, modalities: ['digest', 'face'], ...terms, agreementId: randomId() },
        standingReason: null,
      };
    }

    async function seen(member: Member, table: Table): Promise<string[]> {
      const name = TABLES[table];
      // The place of a lead is told by its series, which everybody who sees the lead may see.
      const sql =
        table === 'lead'
          ? 'select s.name as place from lead join series s using (series_id) order by 1'
          : `select ${name} as place from ${table} order by 1`;
      return (await memberDb(db, member).read(row({ place: text }), sql)).map(({ place }) => place);
    }

    /** What a partner of this tier sees of each table: rows of its own batches, and those of the cases that are assigned. */
    const EXPECTED: Readonly<Record<(typeof TIERS)[number], Readonly<Record<Table, readonly Place[]>>>> = {
      embedded: {
        batch: ['joint', 'own'],
        item: ['joint', 'own'],
        media: ['joint', 'own'],
        match: ['joint', 'own'],
        model_match: ['joint', 'own'],
        lead: ['joint'],
        disposition: ['joint'],
        series: ['joint', 'own'],
        hash_set: [],
        case_file: ['joint'],
      },
      accredited: {
        batch: ['own'],
        item: ['own'],
        media: ['own'],
        match: ['own'],
        model_match: ['own'],
        lead: [],
        disposition: [],
        series: ['own'],
        hash_set: [],
        case_file: ['joint'],
      },
      associated: {
        batch: [],
        item: [],
        media: [],
        match: [],
        model_match: [],
        lead: [],
        disposition: [],
        series: [],
        hash_set: [],
        case_file: [],
      },
    };

    for (const role of ROLES) {
      it(`S5: the home organisation's ${role} sees what the role is for`, async () => {
        const everything = [...ALL].sort();
        for (const table of Object.keys(TABLES) as Table[]) {
          const sets = table === 'series' || table === 'hash_set';
          const none = role === 'auditor' || (role === 'administrator' && !sets);
          assert.deepEqual(await seen(memberOf('home', role), table), none ? [] : everything, table);
        }
      });
      for (const tier of TIERS) {
        it(`S5: a partner's ${role} of the tier ${tier} sees its own rows of every table and no others`, async () => {
          const aside = role === 'auditor' || role === 'administrator';
          for (const table of Object.keys(TABLES) as Table[]) {
            const found = await seen(memberOf('own', role, { tier }), table);
            assert.deepEqual(found, aside ? [] : EXPECTED[tier][table], table);
          }
        });
      }
    }

    it('S5: another partner sees nothing of the first one, nor of a case that is not assigned to it', async () => {
      for (const table of ['batch', 'item', 'media', 'match', 'lead', 'series', 'case_file'] as const) {
        const found = await seen(memberOf('other', 'lab', { tier: 'embedded' }), table);
        assert.ok(
          found.every((place) => place === 'other'),
          `${table}: ${found.join(', ')}`,
        );
      }
    });

    it('S5: a foreign row is found as little as a missing one', async () => {
      const [foreign] = await db.read(row({ itemId: integer }), `select item_id from item where path = 'other'`);
      const member = memberDb(db, memberOf('own', 'lab'));
      const sql = 'select item_id from item where item_id = $1';
      assert.deepEqual(await member.query(sql, [foreign?.itemId ?? 0]), await member.query(sql, [999_999]));
    });

    it('S5: shows no evidence beyond the highest TLP, of a modality not agreed, or of a third party without its consent', async () => {
      const lab = memberOf('own', 'lab');
      assert.deepEqual(await seen(memberOf('own', 'lab', { highestTlp: 'GREEN' }), 'match'), []);
      assert.deepEqual(await seen(memberOf('own', 'lab', { highestTlp: 'GREEN' }), 'series'), []);
      assert.deepEqual(await seen(memberOf('own', 'lab', { modalities: ['perceptual'] }), 'match'), []);
      assert.deepEqual(await seen(memberOf('own', 'lab', { modalities: ['digest'] }), 'model_match'), []);
      await db.execute(`update hash_set set owner_organisation_id = $1 where name = 'own'`, [ids.other]);
      assert.deepEqual(await seen(lab, 'match'), []);
      const consent = { owner: ids.other, recipient: ids.own };
      await setDerivationConsent(db, { ...consent, given: true }, FIRST);
      assert.deepEqual(await seen(lab, 'match'), ['own']);
      await setDerivationConsent(db, { ...consent, given: false }, FIRST);
      assert.deepEqual(await seen(lab, 'match'), []);
      await db.execute(`update hash_set set owner_organisation_id = null where name = 'own'`);
    });

    it('S5: no member reads hashes, vectors, the audit or who else is there, or writes', async () => {
      for (const role of ['specialist', 'administrator', 'auditor'] as const) {
        for (const sql of NEVER) {
          await assert.rejects(
            memberDb(db, memberOf('home', role)).query(sql),
            isCode('HW_DATABASE'),
            `${role}: ${sql}`,
          );
        }
      }
    });

    it('S5: scripts, COPY and channels are refused to a member, and its role ends with its transaction', async () => {
      const member = memberDb(db, memberOf('own', 'lab'));
      await assert.rejects(
        member.transaction(async (tx) => await tx.script('reset role')),
        isCode('HW_INTERNAL'),
      );
      await assert.rejects(
        member.transaction(async (tx) => await tx.copyIn({ table: 'media', columns: ['type'] }, [])),
        isCode('HW_INTERNAL'),
      );
      await assert.rejects(
        member.transaction(async (tx) => {
          for await (const _chunk of tx.copyOut('select 1')) break;
        }),
        isCode('HW_INTERNAL'),
      );
      await assert.rejects(
        member.listen('x', () => undefined),
        isCode('HW_INTERNAL'),
      );
      await member.query('select count(*) from batch');
      const [after] = await db.read(row({ batches: integer }), 'select count(*) as batches from batch');
      assert.equal(after?.batches, ALL.length);
    });

    it('S5: a session without settings sees nothing in the role of the members', async () => {
      const batches = await db.transaction(async (tx) => {
        await tx.script('set local role homeward_member');
        return await tx.query('select batch_id from batch');
      });
      assert.deepEqual(batches, []);
    });
  });
}

describe('a member of a form that is not declared', () => {
  it('S5: never becomes part of the SQL', () => {
    const member: Member = {
      principalId: "x'; reset role; --",
      kind: 'key',
      label: 'x',
      organisationId: 'home',
      roles: ['lab'],
      agreement: null,
      standingReason: null,
    };
    const db = {} as Db;
    assert.throws(() => memberDb(db, member), isCode('HW_INTERNAL'));
    assert.throws(
      () => memberDb(db, { ...member, principalId: randomId(), organisationId: "home'" }),
      isCode('HW_INTERNAL'),
    );
  });

  it('S5: without a role sees nothing', () => {
    assert.equal(scopeOf({ roles: [], agreement: null }), 'none');
  });
});

function randomId(): string {
  return crypto.randomUUID();
}
