import { Type } from 'typebox';
import { Health, Readiness } from '../../../schemas/http/health.ts';
import { ENGINE_VERSION } from '../../version.ts';
import type { Metrics } from '../metrics.ts';
import { answers, type TypedApp } from '../typed-app.ts';

export interface HealthServices {
  /** Each part that a request needs, asked now; the reason is for the operator and names nothing secret. */
  readonly readiness: () => Promise<
    readonly { readonly part: string; readonly ready: boolean; readonly reason: string }[]
  >;
  readonly metrics: Metrics;
}

/** Whether the process lives, whether it can work, and its figures: asked by machines, told to anybody who reaches the port. */
export function healthRoutes(app: TypedApp, { readiness, metrics }: HealthServices): void {
  app.get(
    '/health',
    {
      config: { policy: 'open', always: true },
      schema: { summary: 'Whether the process lives', tags: ['operation'], response: answers({ 200: Health }) },
    },
    async () => ({ status: 'up' as const, version: ENGINE_VERSION }),
  );
  app.get(
    '/ready',
    {
      config: { policy: 'open', always: true },
      schema: {
        summary: 'Whether a request would be answered now, part by part',
        tags: ['operation'],
        response: { ...answers({ 200: Readiness }), 503: Readiness },
      },
    },
    async (_request, reply) => {
      const parts = [...(await readiness())];
      const ready = parts.every((one) => one.ready);
      return await reply.code(ready ? 200 : 503).send({ status: ready ? 'ready' : 'notReady', parts });
    },
  );
  app.get(
    '/metrics',
    {
      config: { policy: 'open', always: true, textTypes: [metrics.registry.contentType] },
      schema: {
        summary: 'Figures for Prometheus',
        tags: ['operation'],
        response: answers({ 200: Type.String({ description: 'Prometheus text format' }) }),
      },
      // Text of our own names and numbers, not JSON.
      serializerCompiler: () => (text: unknown) => String(text),
    },
    async (_request, reply) => await reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()),
  );
}
