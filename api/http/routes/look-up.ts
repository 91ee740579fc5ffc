import { LookUpCounts } from '../../../engine/access/count-look-ups.ts';
import { watchProbes } from '../../../engine/access/probe-watch.ts';
import { ReviewDraw } from '../../../engine/access/review-draw.ts';
import type { SoughtRecord } from '../../../engine/lookup/look-up.ts';
import { lookUpGroups } from '../../../engine/lookup/look-up-groups.ts';
import type { BitSearch } from '../../../engine/search/bit-search.ts';
import type { Db } from '../../../engine/store/db.ts';
import type { Member } from '../../../schemas/access.ts';
import { HomewardError } from '../../../schemas/error.ts';
import { LookUpAnswer, type LookUpRecord, LookUpRequest } from '../../../schemas/http/look-up.ts';
import { admittedOf } from '../guard.ts';
import { resultOf, toldTo } from '../told-answers.ts';
import { answers, type TypedApp } from '../typed-app.ts';

/** Of 1,000 records with every field, and some room for spaces. */
const MOST_BODY_BYTES = 1024 * 1024;

export interface LookUpServices {
  /** Sees every set: what of a hit is told is decided here, what is searched is not. */
  readonly db: Db;
  readonly bits: BitSearch;
  /** Role address of the unit that runs the engine. */
  readonly contact: string;
}

/** What is known of hashes whose material stays where it is. */
export function lookUpRoutes(app: TypedApp, { db, bits, contact }: LookUpServices): void {
  const counts = new LookUpCounts(db);
  const reviews = new ReviewDraw(db);
  const groups = lookUpGroups(db, bits);
  app.post(
    '/look-ups',
    {
      bodyLimit: MOST_BODY_BYTES,
      config: {
        policy: {
          roles: ['specialist', 'lab', 'partner', 'supervisor'],
          operation: 'consultation',
          action: 'look-up',
          reason: 'case',
          changes: false,
        },
      },
      schema: {
        summary: 'What is known of up to 1,000 contents, by digest and PDQ',
        description:
          'Nothing of what is sent is stored. `no` is said against the sets that the answer names, `unknown` where something could not be compared.',
        tags: ['look-up'],
        body: LookUpRequest,
        response: answers({ 200: LookUpAnswer }),
      },
    },
    async (request) => {
      const { member, objects } = admittedOf(request);
      const { records } = request.body;
      refuseModalities(member, records);
      const counted = counts.count(member, records.length);
      // Where an agreement limits them they are counted before they are made; our own are counted meanwhile.
      if (member.agreement !== null) await counted;
      // As the audit names it, so that a supervisor to whom it falls finds what was said about it there.
      const reference = `look-up ${request.id}`;
      objects.push(reference, `${records.length} records looked up`);
      const [{ answers: found, sets }] = await Promise.all([
        groups.ask(records.map(soughtOf)),
        counted,
        reviews.draw(member, reference),
        member.agreement === null ? null : watchProbes(db, member, probesOf(records)),
      ]);
      const told = await toldTo(db, member, found, sets);
      const yesOrNo = member.agreement?.tier === 'associated';
      return {
        results: told.answers.map((answer, at) => resultOf(answer, records[at]?.reference ?? null, member)),
        sets: yesOrNo ? null : [...told.sets],
        contact: yesOrNo ? contact : null,
      };
    },
  );
}

function probesOf(records: readonly LookUpRecord[]): Buffer[] {
  return records.flatMap(({ pdq }) => (pdq === undefined ? [] : [Buffer.from(pdq.hex, 'hex')]));
}

function refuseModalities({ agreement }: Member, records: readonly LookUpRecord[]): void {
  if (agreement === null) return;
  const asked = {
    digest: records.some((one) => one.md5 !== undefined || one.sha1 !== undefined || one.sha256 !== undefined),
    perceptual: records.some((one) => one.pdq !== undefined),
  };
  for (const modality of ['digest', 'perceptual'] as const) {
    if (!asked[modality] || agreement.modalities.includes(modality)) continue;
    throw new HomewardError(
      'HW_FORBIDDEN',
      `expected hashes of the modalities of your agreement (${agreement.modalities.join(', ')}), received ${modality} ones; leave them out`,
    );
  }
}

function soughtOf({ md5, sha1, sha256, pdq }: LookUpRecord): SoughtRecord {
  const bits =
    pdq === undefined
      ? []
      : [{ algorithm: 'pdq' as const, flavour: pdq.flavour ?? null, hex: pdq.hex, quality: pdq.quality ?? null }];
  const record = { sourceKey: null, md5: md5 ?? null, sha1: sha1 ?? null, sha256: sha256 ?? null, bits };
  return { record, incomplete: false };
}
