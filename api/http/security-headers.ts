import type { FastifyInstance } from 'fastify';

/**
 * Nothing is loaded from anywhere, pictures least of all; the one page there is carries its style in itself, by digest.
 * Answers are for one caller and one moment: nothing between may keep them.
 */
const HEADERS = {
  'content-security-policy':
    "default-src 'none'; img-src 'none'; media-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'permissions-policy': 'camera=(), microphone=(), geolocation=(), display-capture=()',
  'strict-transport-security': 'max-age=31536000',
} as const;

export function setSecurityHeaders(app: FastifyInstance): void {
  app.addHook('onRequest', async (_request, reply) => {
    reply.headers(HEADERS);
  });
}
