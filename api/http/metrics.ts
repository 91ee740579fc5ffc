import type { FastifyInstance } from 'fastify';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';

/**
 * Figures of the process for Prometheus. Labels are routes, methods, status classes and codes of ours: never a case, a name, a digest or
 * anything else that a caller sent.
 */
export interface Metrics {
  readonly registry: Registry;
  readonly errors: Counter<'code'>;
}

/** Seconds; the promise is p99 below a second when overloaded and 20 ms in quiet. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];
const MEMORY_BYTES = 'homeward_resident_memory_bytes';

export function countRequests(app: FastifyInstance, underWay: () => number): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const seconds = new Histogram({
    name: 'homeward_http_request_seconds',
    help: 'Time from request to answer',
    labelNames: ['method', 'route', 'status'],
    buckets: BUCKETS,
    registers,
  });
  const errors = new Counter({
    name: 'homeward_http_errors_total',
    help: 'Answers that were no success, by code of docs/errors.md',
    labelNames: ['code'],
    registers,
  });
  new Gauge({
    name: 'homeward_http_requests_under_way',
    help: 'Requests that are being answered',
    registers,
    collect() {
      this.set(underWay());
    },
  });
  new Gauge({
    name: MEMORY_BYTES,
    help: 'Resident memory of the process',
    registers,
    collect() {
      this.set(process.memoryUsage.rss());
    },
  });
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'none';
    seconds.observe(
      { method: request.method, route, status: `${Math.floor(reply.statusCode / 100)}xx` },
      reply.elapsedTime / 1000,
    );
  });
  return { registry, errors };
}
