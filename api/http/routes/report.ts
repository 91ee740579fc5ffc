import { Type } from 'typebox';
import { toldKnown } from '../../../engine/access/told-known.ts';
import { searchedSets } from '../../../engine/lookup/look-up.ts';
import { storedReport } from '../../../engine/report/stored-report.ts';
import type { Db } from '../../../engine/store/db.ts';
import { findSubmission } from '../../../engine/submission/submission.ts';
import { type Member, Uuid } from '../../../schemas/access.ts';
import { Closed } from '../../../schemas/closed.ts';
import { HomewardError } from '../../../schemas/error.ts';
import { ReportAnswer } from '../../../schemas/http/report.ts';
import type { ReportHead } from '../../../schemas/report.ts';
import { mayBeTold } from '../agreed-field.ts';
import { admittedOf } from '../guard.ts';
import { answers, type TypedApp } from '../typed-app.ts';

/** The report of what was handed in, as far as its reader may be told. */
export function reportRoutes(app: TypedApp, { db }: { readonly db: Db }): void {
  app.get(
    '/submissions/:submissionId/report',
    {
      config: {
        policy: {
          roles: ['specialist', 'lab', 'partner', 'supervisor'],
          operation: 'consultation',
          action: 'submission report',
          reason: 'case',
          changes: false,
        },
        etag: true,
      },
      schema: {
        summary: 'Its report: figures, what was searched, custody, versions',
        description:
          'Of the last time that it was looked at, whole or not, as its stages say. Items are told by /matches and /leads.',
        tags: ['submissions'],
        params: Closed({ submissionId: Uuid }),
        response: answers({ 200: ReportAnswer, 304: Type.Null() }),
      },
    },
    async (request) => {
      const { member, db: seen, objects } = admittedOf(request);
      const { submissionId } = request.params;
      objects.push(`submission ${submissionId}`);
      const found = await findSubmission(seen, submissionId);
      const head = found === null ? null : await storedReport(db, submissionId);
      if (head === null)
        throw new HomewardError(
          'HW_NOT_FOUND',
          'expected the id of a submission that was looked at, received one that is not there or waits; GET /submissions lists yours',
        );
      return await toldReport(db, member, head);
    },
  );
}

/** Partners see nothing of the machine, of sets that they may not be told of, and of what their agreement does not name. */
async function toldReport(db: Db, member: Member, head: ReportHead): Promise<ReportHead> {
  const { agreement, organisationId } = member;
  if (agreement === null) return head;
  const { setIds } = await toldKnown(db, organisationId, agreement, []);
  const told = (await searchedSets(db)).filter(({ setId }) => setIds.has(setId));
  const sources = new Set(told.map(({ source }) => source));
  const { batch, counts, figures } = head;
  return {
    ...head,
    batch: { ...batch, machine: '', roots: [] },
    sets: head.sets.filter((one) => told.some(({ source, name }) => source === one.source && name === one.name)),
    counts: { ...counts, knownBy: mayBeTold(member, 'category') ? counts.knownBy : [] },
    figures: {
      ...figures,
      bySeries: mayBeTold(member, 'seriesName') ? figures.bySeries.filter(({ source }) => sources.has(source)) : [],
      distanceHistogram: mayBeTold(member, 'distance') ? figures.distanceHistogram : [],
    },
  };
}
