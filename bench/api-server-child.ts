/**
 * Child of the bench `api-look-ups`: the API over the database of argument 2, and a bare Fastify route of the same answer, each on a port of
 * its own. Says both ports on one line, and its resident memory in bytes whenever it is sent a line.
 */
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import fastify from 'fastify';
import { resolveConfig } from '../api/cli/config.ts';
import { openService } from '../api/compose/serve.ts';
import { HTTP_LIMITS } from '../api/http/app.ts';
import { LookUpAnswer, LookUpRequest } from '../schemas/http/look-up.ts';

const [, , databaseUrl = ''] = process.argv;
const { config } = await resolveConfig({
  environment: {},
  file: null,
  commandLine: { databaseUrl, dataFolder: path.join(tmpdir(), `homeward-bench-api-${process.pid}`) },
});
const service = await openService({
  config,
  log: (line) => process.stderr.write(`${JSON.stringify(line)}\n`),
  limits: HTTP_LIMITS,
});
const api = await service.app.listen({ host: '127.0.0.1', port: 0 });
const bare = fastify();
const answer = {
  results: [{ reference: null, answer: 'no', searched: ['md5'], incomplete: false, matches: [], moreMatches: 0 }],
  sets: [],
  contact: null,
};
bare.post('/look-ups', { schema: { body: LookUpRequest, response: { 200: LookUpAnswer } } }, async () => answer);
const plain = await bare.listen({ host: '127.0.0.1', port: 0 });
process.stdout.write(`${new URL(api).port} ${new URL(plain).port}\n`);
for await (const _line of createInterface({ input: process.stdin }))
  process.stdout.write(`${process.memoryUsage.rss()}\n`);
await service.close();
await bare.close();
