import type { FastifyReply } from 'fastify';
import { Type } from 'typebox';
import type { Db } from '../../../engine/store/db.ts';
import { beginUpload, findUpload, type Upload, type UploadBudget } from '../../../engine/upload/upload.ts';
import { UploadOffsetError, type UploadStore } from '../../../engine/upload/upload-store.ts';
import { Uuid } from '../../../schemas/access.ts';
import { Closed } from '../../../schemas/closed.ts';
import { HomewardError } from '../../../schemas/error.ts';
import { UploadAnswer, UploadRequest } from '../../../schemas/http/upload.ts';
import { admittedOf, type RoutePolicy } from '../guard.ts';
import { steadyBytes } from '../steady-bytes.ts';
import { answers, type TypedApp } from '../typed-app.ts';
import { UploadStreams } from '../upload-streams.ts';

const MOST_STREAMS = 8;
const MOST_STREAMS_OF_ORGANISATION = 2;
const OFFSET_HEADER = 'upload-offset';
const tags = ['uploads'];
const byId = Closed({ uploadId: Uuid });

const policy = (action: string, changes: boolean): RoutePolicy => ({
  roles: ['specialist', 'lab', 'partner'],
  operation: 'collection',
  action,
  reason: 'case',
  changes,
});

export interface UploadServices {
  readonly db: Db;
  readonly uploads: UploadStore;
  readonly uploadBudget: UploadBudget;
}

/** Material that comes with the request: begun with its size and digest, given in as many requests as the line needs, sealed as it comes. */
export function uploadRoutes(app: TypedApp, { db, uploads, uploadBudget }: UploadServices): void {
  app.post(
    '/uploads',
    {
      config: { policy: policy('upload begin', true), repeated: 'answer' },
      schema: {
        summary: 'Begin an upload',
        description:
          'A single file or an archive (zip, tar, gzip); its bytes are sent to /uploads/{uploadId} afterwards.',
        tags,
        body: UploadRequest,
        response: answers({ 201: UploadAnswer }),
      },
    },
    async (request, reply) => {
      const { member, admission, objects } = admittedOf(request);
      const { name, sizeBytes, sha256, modifiedAt = null } = request.body;
      if (admission.caseId === null) throw new TypeError('expected a case of what is collected');
      if (modifiedAt !== null && !isInCalendar(modifiedAt))
        throw new HomewardError(
          'HW_REQUEST_INVALID',
          'expected a moment of the calendar for modifiedAt, received another one; correct it or leave it out',
        );
      const begun = await beginUpload(
        db,
        {
          organisationId: member.organisationId,
          caseId: admission.caseId,
          submittedBy: member.principalId,
          name,
          sizeBytes,
          sha256: Buffer.from(sha256, 'hex'),
          modifiedAt,
        },
        uploadBudget,
      );
      objects.push(`upload ${begun.uploadId}`);
      return told(reply.code(201), begun);
    },
  );

  app.get(
    '/uploads/:uploadId',
    {
      config: { policy: { ...policy('upload show', false), operation: 'consultation' }, etag: true },
      schema: {
        summary: 'How much of it is there',
        tags,
        params: byId,
        response: answers({ 200: UploadAnswer, 304: Type.Null() }),
      },
    },
    async (request, reply) => told(reply, await own(db, request)),
  );

  const streams = new UploadStreams(MOST_STREAMS, MOST_STREAMS_OF_ORGANISATION);
  app.addContentTypeParser('application/octet-stream', (_request, payload, done) => done(null, payload));
  app.patch(
    '/uploads/:uploadId',
    {
      // Its places are its own: a slow line must not take the place of a look-up.
      config: { policy: policy('upload bytes', true), always: true, streamed: true, repeated: 'own' },
      schema: {
        summary: 'Send bytes of it',
        description:
          'application/octet-stream, from the place that the header Upload-Offset names, which is where GET says that the next byte goes. ' +
          'A request that is cut off keeps what came.',
        tags,
        consumes: ['application/octet-stream'],
        params: byId,
        headers: Type.Object({ [OFFSET_HEADER]: Type.Integer({ minimum: 0 }) }),
        response: answers({ 200: UploadAnswer }),
      },
    },
    async (request, reply) => {
      const { uploadId, organisationId } = await own(db, request);
      const offset = request.headers[OFFSET_HEADER];
      try {
        return await streams.run(organisationId, async () =>
          told(reply, await uploads.append(uploadId, offset, steadyBytes(request.body))),
        );
      } catch (error) {
        if (error instanceof UploadOffsetError) reply.header(OFFSET_HEADER, String(error.offsetBytes));
        throw error;
      }
    },
  );

  app.post(
    '/uploads/:uploadId/cancel',
    {
      config: { policy: policy('upload cancel', true), repeated: 'answer' },
      schema: {
        summary: 'Give it up; what came is removed',
        tags,
        params: byId,
        response: answers({ 200: UploadAnswer }),
      },
    },
    async (request, reply) => {
      const upload = await own(db, request);
      if (upload.state === 'submitted')
        throw new HomewardError(
          'HW_REQUEST_INVALID',
          'expected an upload that is not submitted yet, received one that is; cancel the submission',
        );
      await uploads.remove([upload.uploadId]);
      return told(reply, { ...upload, state: 'gone' });
    },
  );
}

/** The 31st of February is none, though Date takes it for a day in March. */
function isInCalendar(instant: string): boolean {
  const timeMs = Date.parse(instant);
  return !Number.isNaN(timeMs) && new Date(timeMs).toISOString().startsWith(instant.slice(0, 10));
}

/** One of the own organisation and of the case that was stated. */
async function own(
  db: Db,
  request: Parameters<typeof admittedOf>[0] & { readonly params: { readonly uploadId: string } },
): Promise<Upload> {
  const { member, admission, objects } = admittedOf(request);
  const { uploadId } = request.params;
  objects.push(`upload ${uploadId}`);
  const found = await findUpload(db, uploadId);
  if (found === null || found.organisationId !== member.organisationId || found.caseId !== admission.caseId)
    throw new HomewardError(
      'HW_NOT_FOUND',
      'expected the id of an upload of this case, received one that is not there; POST /uploads begins one',
    );
  return found;
}

function told(reply: FastifyReply, upload: Upload): UploadAnswer {
  const { uploadId, caseId, name, sizeBytes, sha256, receivedBytes, state, submissionId, createdAt } = upload;
  reply.header(OFFSET_HEADER, String(receivedBytes));
  return {
    uploadId,
    caseId,
    name,
    sizeBytes,
    sha256: sha256?.toString('hex') ?? null,
    offsetBytes: receivedBytes,
    state,
    submissionId,
    createdAt,
  };
}
