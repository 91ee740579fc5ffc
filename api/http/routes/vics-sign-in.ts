import { Type } from 'typebox';
import type { Access } from '../../../engine/access/open-access.ts';
import { HomewardError } from '../../../schemas/error.ts';
import { VicsServer, VicsToken } from '../../../schemas/http/vics.ts';
import { ENGINE_VERSION } from '../../version.ts';
import { answers, type TypedApp } from '../typed-app.ts';

/** Tools ask anew before this is over; whether the key is still good is asked with each request. */
const TOKEN_SECONDS = 3600;
const Form = Type.Object({
  grant_type: Type.String({ maxLength: 40 }),
  password: Type.Optional(Type.String({ maxLength: 500 })),
  client_secret: Type.Optional(Type.String({ maxLength: 500 })),
  refresh_token: Type.Optional(Type.String({ maxLength: 500 })),
});

/** What lab tools ask before they hand anything in: who answers, and a token for a name and a password, which here is an API key for itself. */
export function vicsSignInRoutes(app: TypedApp, { access }: { readonly access: Access }): void {
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, text, done) =>
    done(null, Object.fromEntries(new URLSearchParams(String(text)))),
  );
  app.get(
    '/vics/serverinfo',
    {
      config: { policy: 'open' },
      schema: {
        summary: 'Version of this engine',
        tags: ['lab tools (VICS 2.0)'],
        response: answers({ 200: VicsServer }),
      },
    },
    async () => {
      const [major = 0, minor = 0, build = 0] = ENGINE_VERSION.split(/[.-]/).map(Number);
      return { serverVersion: { major, minor, build } };
    },
  );
  app.post(
    '/vics/oauth2/token',
    {
      config: { policy: 'open' },
      schema: {
        summary: 'An API key for a token',
        description:
          'grant_type password, client_credentials or refresh_token, the key as password, client_secret or refresh_token. The token is the key.',
        tags: ['lab tools (VICS 2.0)'],
        consumes: ['application/x-www-form-urlencoded'],
        body: Form,
        response: answers({ 200: VicsToken }),
      },
    },
    async (request) => {
      const { grant_type: grant, password, client_secret: secret, refresh_token: refresh } = request.body;
      const key = { password, client_credentials: secret, refresh_token: refresh }[grant];
      if (key === undefined)
        throw new HomewardError(
          'HW_REQUEST_INVALID',
          'expected the grant password, client_credentials or refresh_token with an API key in it, received another one; put the key where the password goes',
        );
      await access.memberOfKey(key);
      return { access_token: key, token_type: 'bearer' as const, expires_in: TOKEN_SECONDS, refresh_token: key };
    },
  );
}
