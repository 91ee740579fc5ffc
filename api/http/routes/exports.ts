import { approveExport, askForExport, listExports, openExport } from '../../../engine/access/set-exports.ts';
import { toldKnown } from '../../../engine/access/told-known.ts';
import { type PlacedRecord, recordPage } from '../../../engine/hashset/sets.ts';
import type { Db } from '../../../engine/store/db.ts';
import { type Member, type Role, Uuid } from '../../../schemas/access.ts';
import { Closed, Count } from '../../../schemas/closed.ts';
import {
  ExportAnswer,
  ExportList,
  ExportPage,
  ExportRequest,
  MOST_EXPORTED_AT_ONCE,
} from '../../../schemas/http/export.ts';
import type { KnownRecord } from '../../../schemas/known-record.ts';
import { mayBeTold } from '../agreed-field.ts';
import { cursorOf, pageQuery } from '../cursor.ts';
import { admittedOf, type RoutePolicy } from '../guard.ts';
import { answers, type TypedApp } from '../typed-app.ts';

const MOST_LISTED = 200;
const cursor = cursorOf(Closed({ recordId: Count() }));
const byId = Closed({ exportId: Uuid });
const tags = ['known material'];

const policy = (roles: readonly Role[], action: string, changes: boolean): RoutePolicy => ({
  roles,
  operation: 'disclosure',
  action,
  reason: 'stated',
  changes,
});
const ASK = ['specialist', 'lab', 'supervisor'] as const;

/** A whole hash set leaves by two people: one asks and fetches, another one of the organisation that runs the engine lets it go. */
export function exportRoutes(app: TypedApp, { db }: { readonly db: Db }): void {
  app.post(
    '/exports',
    {
      config: { policy: policy(ASK, 'export ask', true), repeated: 'answer' },
      schema: {
        summary: 'Ask for a whole hash set',
        description: 'Nothing is given before a supervisor has approved it.',
        tags,
        body: ExportRequest,
        response: answers({ 201: ExportAnswer }),
      },
    },
    async (request, reply) => {
      const { member, admission, objects } = admittedOf(request);
      const made = await askForExport(db, member, request.body.setId, admission.justification ?? '');
      objects.push(`export ${made.exportId}`, `set ${made.setId}`);
      return await reply.code(201).send(made);
    },
  );

  app.get(
    '/exports',
    {
      config: { policy: policy(ASK, 'export list', false) },
      schema: {
        summary: 'What was asked for, the latest first',
        tags,
        response: answers({ 200: ExportList }),
      },
    },
    async (request) => {
      const { member } = admittedOf(request);
      return { exports: await listExports(db, member.agreement === null ? null : member.organisationId, MOST_LISTED) };
    },
  );

  app.post(
    '/exports/:exportId/approval',
    {
      config: { policy: { ...policy(['supervisor'], 'export approve', true), home: true }, repeated: 'answer' },
      schema: {
        summary: 'Let it go, as a second person',
        tags,
        params: byId,
        response: answers({ 200: ExportAnswer }),
      },
    },
    async (request) => {
      const { member, objects } = admittedOf(request);
      objects.push(`export ${request.params.exportId}`);
      return await approveExport(db, member, request.params.exportId);
    },
  );

  app.get(
    '/exports/:exportId/records',
    {
      config: { policy: policy(ASK, 'export fetch', false) },
      schema: {
        summary: 'The records, for who asked for them',
        description: 'For 24 hours after it was approved.',
        tags,
        params: byId,
        querystring: pageQuery(MOST_EXPORTED_AT_ONCE),
        response: answers({ 200: ExportPage }),
      },
    },
    async (request) => {
      const { member, objects } = admittedOf(request);
      const { limit = 50, after } = request.query;
      const { exportId, setId } = await openExport(db, member, request.params.exportId);
      const found = await recordPage(db, setId, cursor.read(after)?.recordId ?? 0, limit + 1);
      const { page, next } = cursor.cut(found, limit, ({ recordId }) => ({ recordId }));
      objects.push(`export ${exportId}`, `set ${setId}`, `${page.length} records`);
      return { records: await toldRecords(db, member, page), next };
    },
  );
}

async function toldRecords(db: Db, member: Member, page: readonly PlacedRecord[]): Promise<KnownRecord[]> {
  const { agreement, organisationId } = member;
  if (agreement === null) return page.map(({ record }) => record);
  const told = await toldKnown(
    db,
    organisationId,
    agreement,
    page.flatMap(({ seriesId }) => seriesId ?? []),
  );
  const [hashes, category, series] = (['perceptualHash', 'category', 'seriesName'] as const).map((field) =>
    mayBeTold(member, field),
  );
  return page.map(({ seriesId, record: { photoDna, ...record } }) => ({
    ...record,
    bits: hashes ? record.bits : [],
    ...(hashes && photoDna !== undefined ? { photoDna } : {}),
    categoryCode: category ? record.categoryCode : null,
    series: series && seriesId !== null && told.seriesIds.has(seriesId) ? record.series : null,
  }));
}
