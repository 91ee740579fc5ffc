import { caseNotFound } from '../../../engine/access/cases.ts';
import { ownCases } from '../../../engine/access/own-cases.ts';
import { sourceOfUploads, submit } from '../../../engine/submission/submission.ts';
import {
  beginToolFile,
  findToolFile,
  growToolFile,
  lastToolSubmission,
  waitingToolFiles,
} from '../../../engine/upload/tool-file.ts';
import type { Upload } from '../../../engine/upload/upload.ts';
import { HomewardError } from '../../../schemas/error.ts';
import {
  VicsCase,
  VicsCaseList,
  VicsCaseQuery,
  VicsCases,
  VicsCasesQuery,
  VicsChunkQuery,
  VicsCleared,
  VicsFile,
  VicsFileQuery,
  VicsFinalizeCaseQuery,
  VicsFinalizeQuery,
  type VicsMedia,
  VicsMediaRequest,
  VicsSubmitted,
} from '../../../schemas/http/vics.ts';
import { admittedOf, type RoutePolicy } from '../guard.ts';
import { steadyBytes } from '../steady-bytes.ts';
import { answers, type TypedApp } from '../typed-app.ts';
import { UploadStreams } from '../upload-streams.ts';
import type { SubmissionServices } from './submissions.ts';
import type { UploadServices } from './uploads.ts';

/** Chunks are short, and tools send those of ten files at once. */
const MOST_STREAMS = 32;
const MOST_STREAMS_OF_ORGANISATION = 16;
/** A picture may have hundreds of places, and EXIF data of any length. */
const MEDIA_BODY_BYTES = 4 * 1024 * 1024;
const MOST_NAME_LENGTH = 1000;
const DEFAULT_EXHIBIT = 'handed in by a lab tool';

const tags = ['lab tools (VICS 2.0)'];
const policy = (action: string, changes: boolean): RoutePolicy => ({
  roles: ['specialist', 'lab', 'partner'],
  operation: 'collection',
  action,
  reason: 'tool',
  changes,
});

/** Material as lab tools hand it in: a case is initialised, then each file, known by its MD5, in chunks, and all of them are finalised together. */
export function vicsRoutes(
  app: TypedApp,
  { db, uploads, uploadBudget, wake }: UploadServices & Pick<SubmissionServices, 'wake'>,
): void {
  app.get(
    '/vics/cases',
    {
      config: { policy: { ...policy('tool cases', false), operation: 'consultation' } },
      schema: {
        summary: 'Open cases that are assigned to you, by number and identifier',
        description: 'filter: equals(name, "...") or equals(identifier, "..."); without it all of them.',
        tags,
        querystring: VicsCasesQuery,
        response: answers({ 200: VicsCaseList }),
      },
    },
    async (request) => {
      const { member, objects } = admittedOf(request);
      const wanted = filterOf(request.query.filter);
      const cases = (await ownCases(db, member.principalId))
        .map(({ caseRef, caseId }) => ({ name: caseRef, identifier: caseId }))
        .filter((one) => wanted === null || one[wanted.field] === wanted.value);
      objects.push(...cases.map(({ name }) => `case ${name}`));
      return cases;
    },
  );

  app.post(
    '/vics/upload/initializecase',
    {
      config: { policy: policy('tool case', true), repeated: 'own' },
      schema: {
        summary: 'Name the case that files are of',
        description:
          'VICS 2.0 Cases; CaseNumber is the number of an open case that is assigned to you, CaseID its identifier. Cases are opened by your administrator.',
        tags,
        body: VicsCases,
        response: answers({ 200: VicsCase }),
      },
    },
    async (request) => {
      const { member, objects } = admittedOf(request);
      const [named] = request.body.value;
      const identifier = named?.CaseID?.replace(/^\{|\}$/g, '').toLowerCase();
      const cases = await ownCases(db, member.principalId);
      const found =
        cases.find(({ caseRef }) => caseRef === named?.CaseNumber) ?? cases.find(({ caseId }) => caseId === identifier);
      if (found === undefined) throw caseNotFound();
      objects.push(`case ${found.caseRef}`);
      return { caseIdentifier: found.caseId };
    },
  );

  app.post(
    '/vics/upload/initializefile',
    {
      bodyLimit: MEDIA_BODY_BYTES,
      config: { policy: policy('tool file', true), repeated: 'own' },
      schema: {
        summary: 'Begin a file, or begin it anew',
        description: 'VICS 2.0 Media; its first place is the name that results give it.',
        tags,
        querystring: VicsFileQuery,
        body: VicsMediaRequest,
        response: answers({ 200: VicsFile }),
      },
    },
    async (request) => {
      const { objects } = admittedOf(request);
      const { place, md5 } = placeOf(request);
      const media = 'value' in request.body ? request.body.value[0] : request.body;
      if (media?.MD5 && media.MD5.toLowerCase() !== md5.toString('hex'))
        throw new HomewardError(
          'HW_REQUEST_INVALID',
          'expected the MD5 of the Media in the address, received another one; send them alike',
        );
      const before = await findToolFile(db, place, md5);
      if (before !== null) await uploads.remove([before.uploadId]);
      const name = nameOf(media, md5);
      const begun = await beginToolFile(db, { ...place, name, md5 }, uploadBudget);
      objects.push(`upload ${begun.uploadId}`);
      return { receivedBytes: begun.receivedBytes };
    },
  );

  const streams = new UploadStreams(MOST_STREAMS, MOST_STREAMS_OF_ORGANISATION);
  app.addContentTypeParser('application/binary', (_request, payload, done) => done(null, payload));
  app.post(
    '/vics/upload/filechunk',
    {
      config: { policy: policy('tool bytes', true), always: true, streamed: true, repeated: 'own' },
      schema: {
        summary: 'Send bytes of it',
        description: 'application/binary with its length, from the place offset on.',
        tags,
        consumes: ['application/binary', 'application/octet-stream'],
        querystring: VicsChunkQuery,
        response: answers({ 200: VicsFile }),
      },
    },
    async (request) => {
      const upload = await fileOf(request);
      const { offset } = request.query;
      const length = Number(request.headers['content-length']);
      if (!Number.isSafeInteger(length) || length < 0)
        throw new HomewardError(
          'HW_REQUEST_INVALID',
          'expected a chunk with its Content-Length, received one without; send the length',
        );
      return await streams.run(upload.organisationId, async () => {
        await growToolFile(db, upload, offset + length, uploadBudget);
        const { receivedBytes } = await uploads.append(upload.uploadId, offset, steadyBytes(request.body));
        return { receivedBytes };
      });
    },
  );

  app.post(
    '/vics/upload/finalizefile',
    {
      config: { policy: policy('tool file end', true), repeated: 'own' },
      schema: {
        summary: 'Say that all of it came',
        description:
          'Its MD5 is compared. Results are not in the answer: they are those of the submission that finalizecase makes.',
        tags,
        querystring: VicsFinalizeQuery,
        response: answers({ 200: VicsFile }),
      },
    },
    async (request) => {
      if (request.query.getResponse?.toLowerCase() === 'true')
        throw new HomewardError(
          'HW_REQUEST_INVALID',
          'expected finalizefile without getResponse, received one that wants results at once; ask for those of the submission that finalizecase names',
        );
      const { receivedBytes } = await uploads.finish((await fileOf(request)).uploadId);
      return { receivedBytes };
    },
  );

  app.post(
    '/vics/upload/finalizecase',
    {
      config: { policy: policy('tool submit', true), repeated: 'own' },
      schema: {
        summary: 'Hand in all files of the case that were finalised',
        description:
          'One submission, as /submissions tells of it. Asked again when nothing is new, it names the last one.',
        tags,
        querystring: VicsFinalizeCaseQuery,
        response: answers({ 202: VicsSubmitted }),
      },
    },
    async (request, reply) => {
      const { objects } = admittedOf(request);
      const { place } = casePlace(request);
      const { exhibit = DEFAULT_EXHIBIT, urgent = false, models = false } = request.query;
      const files = await waitingToolFiles(db, place);
      const unfinished = files.filter(({ state }) => state === 'receiving').length;
      if (unfinished > 0)
        throw new HomewardError(
          'HW_REQUEST_INVALID',
          `expected every file of the case to be finalised, received ${unfinished} that are not; finalise them, or PUT /vics/cases/{caseIdentifier}/clearunfinalizeduploads`,
        );
      if (files.length === 0) {
        const submissionId = await lastToolSubmission(db, place);
        if (submissionId === null)
          throw new HomewardError(
            'HW_REQUEST_INVALID',
            'expected files of the case to hand in, received none; initialise, send and finalise them first',
          );
        return await reply.code(202).send({ submissionId, files: 0 });
      }
      const source = sourceOfUploads(files.map(({ uploadId }) => uploadId));
      const { submission } = await submit(db, {
        ...place,
        ...source,
        // The same files are one submission, however often that is asked.
        idempotencyKey: `tool ${source.path}`,
        kind: 'seizure',
        urgent,
        exhibitRef: exhibit,
        mode: 'exact',
        models,
      });
      objects.push(`submission ${submission.submissionId}`);
      wake();
      return await reply.code(202).send({ submissionId: submission.submissionId, files: files.length });
    },
  );

  app.put(
    '/vics/cases/:caseIdentifier/clearunfinalizeduploads',
    {
      config: { policy: policy('tool clear', true), repeated: 'own' },
      schema: {
        summary: 'Give up the files of the case that were begun and not finalised',
        tags,
        params: VicsCaseQuery,
        response: answers({ 200: VicsCleared }),
      },
    },
    async (request) => {
      const { place } = casePlace(request);
      const files = (await waitingToolFiles(db, place)).filter(({ state }) => state === 'receiving');
      await uploads.remove(files.map(({ uploadId }) => uploadId));
      return { files: files.length };
    },
  );

  /** One of the own organisation and of the case of the address that was not handed in yet. */
  async function fileOf(request: FileRequest): Promise<Upload> {
    const { place, md5 } = placeOf(request);
    const found = await findToolFile(db, place, md5);
    if (found === null)
      throw new HomewardError(
        'HW_NOT_FOUND',
        'expected a file of this case that was initialised and not handed in yet, received the MD5 of another one; initialise it',
      );
    admittedOf(request).objects.push(`upload ${found.uploadId}`);
    return found;
  }
}

type AnyRequest = Parameters<typeof admittedOf>[0];
type FileRequest = AnyRequest & { readonly query: { readonly md5: string } };

function casePlace(request: AnyRequest) {
  const { member, admission } = admittedOf(request);
  if (admission.caseId === null) throw new TypeError('expected a case of what is collected');
  const { organisationId, principalId: submittedBy } = member;
  return { place: { organisationId, submittedBy, caseId: admission.caseId } };
}

function placeOf(request: FileRequest) {
  return { ...casePlace(request), md5: Buffer.from(request.query.md5, 'hex') };
}

/** Where the file lay, as far as there is room: what a person finds it by. */
function nameOf(media: VicsMedia | undefined, md5: Buffer): string {
  const [first] = media?.MediaFiles ?? [];
  const place = [first?.FilePath, first?.FileName].filter((part) => part).join('\\');
  return (place || media?.RelativeFilePath || md5.toString('hex')).slice(0, MOST_NAME_LENGTH);
}

function filterOf(
  filter: string | undefined,
): { readonly field: 'name' | 'identifier'; readonly value: string } | null {
  if (filter === undefined || filter === '') return null;
  const [, field, value] = /^equals\((name|identifier),\s*"(.*)"\)$/.exec(filter) ?? [];
  if (value === undefined)
    throw new HomewardError(
      'HW_REQUEST_INVALID',
      'expected equals(name, "...") or equals(identifier, "...") as the filter, received another one; correct it',
    );
  return field === 'name' ? { field, value } : { field: 'identifier', value: value.toLowerCase() };
}
