import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';
import type { TSchema } from 'typebox';
import { Problem } from '../../schemas/http/problem.ts';

/** An app whose handlers have the types of their schemas. */
export type TypedApp = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

/** The answers of a route: what it says when all is well, and problem details for all else. */
export function answers<const S extends Readonly<Record<number, TSchema>>>(
  schemas: S,
): S & { readonly '4xx': typeof Problem; readonly '5xx': typeof Problem } {
  return { ...schemas, '4xx': Problem, '5xx': Problem };
}
