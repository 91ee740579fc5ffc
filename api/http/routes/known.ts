import { ownCases } from '../../../engine/access/own-cases.ts';
import { listAudit } from '../../../engine/audit/list.ts';
import { listSets } from '../../../engine/hashset/sets.ts';
import { searchedSets } from '../../../engine/lookup/look-up.ts';
import { seriesPage } from '../../../engine/series/series-page.ts';
import type { Role } from '../../../schemas/access.ts';
import type { AuditEntry } from '../../../schemas/audit.ts';
import { Closed, Count } from '../../../schemas/closed.ts';
import { AuditPage, CaseList, HashSetList, HashSetVersions, SeriesPage } from '../../../schemas/http/known.ts';
import { cursorOf, pageQuery } from '../cursor.ts';
import { admittedOf, type GuardServices, type RoutePolicy } from '../guard.ts';
import { answers, type TypedApp } from '../typed-app.ts';

const MOST_AT_ONCE = 500;
const MOST_VERSIONS = 10_000;
const seriesCursor = cursorOf(Closed({ seriesId: Count() }));
const auditCursor = cursorOf(Closed({ sequence: Count() }));

const reading = (roles: readonly Role[], action: string): RoutePolicy => ({
  roles,
  operation: 'consultation',
  action,
  reason: 'stated',
  changes: false,
});

/** What there is to be asked for: cases, sets, series; and for auditors what was asked. */
export function knownRoutes(app: TypedApp, { db, chainOf }: Pick<GuardServices, 'db' | 'chainOf'>): void {
  app.get(
    '/cases',
    {
      config: { policy: reading(['specialist', 'lab', 'partner', 'supervisor'], 'case list') },
      schema: { summary: 'Open cases that are assigned to you', tags: ['cases'], response: answers({ 200: CaseList }) },
    },
    async (request) => {
      const { member, objects } = admittedOf(request);
      const cases = await ownCases(db, member.principalId);
      objects.push(...cases.map(({ caseRef }) => `case ${caseRef}`));
      return { cases };
    },
  );
  app.get(
    '/hash-sets',
    {
      config: { policy: reading(['specialist', 'lab', 'supervisor', 'administrator'], 'hashset list') },
      schema: {
        summary: 'Hash sets in force, as far as you may know of them',
        tags: ['known material'],
        response: answers({ 200: HashSetList }),
      },
    },
    async (request) => ({ sets: await searchedSets(admittedOf(request).db) }),
  );
  app.get(
    '/hash-sets/versions',
    {
      config: {
        policy: { ...reading(['specialist', 'supervisor', 'administrator'], 'hashset versions'), home: true },
      },
      schema: {
        summary: 'Every version of every hash set, those that wait for a person among them',
        tags: ['known material'],
        response: answers({ 200: HashSetVersions }),
      },
    },
    async () => ({
      sets: (await listSets(db))
        .slice(0, MOST_VERSIONS)
        .map(({ radiusBits: _radius, sha256: _sha256, formatVersion: _format, ...set }) => set),
    }),
  );
  app.get(
    '/series',
    {
      config: { policy: reading(['specialist', 'lab', 'supervisor', 'administrator'], 'series list') },
      schema: {
        summary: 'Series, as far as you may know of them',
        tags: ['known material'],
        querystring: pageQuery(MOST_AT_ONCE),
        response: answers({ 200: SeriesPage }),
      },
    },
    async (request) => {
      const { limit = 50, after } = request.query;
      const found = await seriesPage(admittedOf(request).db, seriesCursor.read(after)?.seriesId ?? 0, limit + 1);
      const { page: series, next } = seriesCursor.cut(found, limit, ({ seriesId }) => ({ seriesId }));
      return { series, next };
    },
  );
  app.get(
    '/audit',
    {
      config: { policy: reading(['auditor'], 'audit list') },
      schema: {
        summary: 'Entries of your organisation in their order; reading them is one of them',
        tags: ['audit'],
        querystring: pageQuery(MOST_AT_ONCE),
        response: answers({ 200: AuditPage }),
      },
    },
    async (request) => {
      const { limit = 50, after } = request.query;
      const { member, objects } = admittedOf(request);
      const chain = await chainOf(member.organisationId);
      const found: AuditEntry[] = [];
      for await (const entry of listAudit(db, chain, auditCursor.read(after)?.sequence ?? 0)) {
        found.push(entry);
        if (found.length > limit) break;
      }
      const { page: entries, next } = auditCursor.cut(found, limit, ({ sequence }) => ({ sequence }));
      const [first, last] = [entries[0], entries.at(-1)];
      if (first !== undefined && last !== undefined) objects.push(`entries ${first.sequence} to ${last.sequence}`);
      return { entries, next };
    },
  );
}
