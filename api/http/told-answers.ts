import { toldKnown } from '../../engine/access/told-known.ts';
import { answerOf } from '../../engine/lookup/look-up.ts';
import type { LookedUp } from '../../engine/lookup/look-up-groups.ts';
import type { Db } from '../../engine/store/db.ts';
import type { Member, Modality } from '../../schemas/access.ts';
import type { LookUpResult, ToldMatch } from '../../schemas/http/look-up.ts';
import type { LookupAnswer, LookupMatch, LookupMethod, SearchedSet } from '../../schemas/lookup.ts';
import { mayBeTold } from './agreed-field.ts';

const MOST_MATCHES_TOLD = 100;

const MODALITY_OF: Readonly<Record<LookupMethod, Modality>> = {
  md5: 'digest',
  sha1: 'digest',
  sha256: 'digest',
  pdq: 'perceptual',
  blockhash: 'perceptual',
  photodna: 'perceptual',
};

/** Without what rests on sets and series that a partner may not be told of: to him it is as if they were not there. */
export async function toldTo(
  db: Db,
  { agreement, organisationId }: Member,
  answers: readonly LookupAnswer[],
  sets: readonly SearchedSet[],
): Promise<LookedUp> {
  if (agreement === null) return { answers, sets };
  const seriesIds = answers.flatMap(({ matches }) => matches.flatMap(({ seriesId }) => seriesId ?? []));
  const told = await toldKnown(db, organisationId, agreement, seriesIds);
  return {
    sets: sets.filter(({ setId }) => told.setIds.has(setId)),
    answers: answers.map((one) => {
      const matches = one.matches
        .filter(({ setId, method }) => told.setIds.has(setId) && agreement.modalities.includes(MODALITY_OF[method]))
        .map((match) =>
          match.seriesId === null || told.seriesIds.has(match.seriesId) ? match : { ...match, series: null },
        );
      return { ...one, matches, answer: answerOf(matches, one.incomplete) };
    }),
  };
}

export function resultOf(found: LookupAnswer, reference: string | null, member: Member): LookUpResult {
  const { answer, searched, incomplete, matches } = found;
  const told = member.agreement?.tier === 'associated' ? null : matches.slice(0, MOST_MATCHES_TOLD);
  return {
    reference,
    answer,
    searched,
    incomplete,
    matches: told?.map((match) => toldMatch(match, member)) ?? null,
    moreMatches: told === null ? 0 : matches.length - told.length,
  };
}

/** A match without what the agreement does not name. */
function toldMatch(
  { recordId: _id, recordKey: _key, setId: _set, seriesId: _series, ...match }: LookupMatch,
  member: Member,
): ToldMatch {
  return {
    ...match,
    distance: mayBeTold(member, 'distance') ? match.distance : null,
    series: mayBeTold(member, 'seriesName') ? match.series : null,
    category: mayBeTold(member, 'category') ? match.category : null,
  };
}
