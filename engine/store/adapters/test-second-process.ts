/** Run by pglite.test.ts as another process: tries to open the folder five times, or opens it and inserts until it is killed. */
import { HomewardError } from '../../../schemas/error.ts';
import { openEmbedded } from './pglite.ts';

const [folder = '', what] = process.argv.slice(2);
const say = (line: string | number): boolean => process.stdout.write(`${line}\n`);

if (what === 'insert') {
  const db = await openEmbedded({ dataFolder: folder });
  await db.execute('create table if not exists acknowledged (n int primary key)');
  for (;;) {
    const [inserted] = await db.query<{ n: number }>(
      'insert into acknowledged select coalesce(max(n), 0) + 1 as n from acknowledged returning n',
    );
    say(inserted?.n ?? 'nothing inserted');
  }
}
for (let attempt = 0; attempt < 5; attempt += 1) {
  try {
    const db = await openEmbedded({ dataFolder: folder });
    await db.close();
    say('opened');
  } catch (error) {
    say(error instanceof HomewardError ? error.code : String(error));
  }
}
