import { TLSSocket } from 'node:tls';
import type { FastifyRequest } from 'fastify';

/**
 * SHA-256 of the client's certificate, in hexadecimal, where the TLS layer has verified it against the authorities of the configuration; null
 * for every other caller. Of the connection itself: what a proxy or a header says of a certificate is not believed; and of a whole handshake:
 * a resumed session brings the verdict of an earlier one along, on a certificate that may be over and an authority that may be replaced.
 */
export function clientCertificateSha256({ raw: { socket } }: FastifyRequest): string | null {
  if (!(socket instanceof TLSSocket) || !socket.authorized || socket.isSessionReused()) return null;
  return socket.getPeerX509Certificate()?.fingerprint256.replaceAll(':', '').toLowerCase() ?? null;
}
