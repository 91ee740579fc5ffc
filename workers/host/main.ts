import { parseArgs } from 'node:util';
import { startPictureHost } from './picture-host.ts';
import { startUnpackHost } from './unpack-host.ts';

// Entry of a host: `main.ts --role picture|unpack --threads N`, started by the fleet with a channel to it.
const { values } = parseArgs({ options: { role: { type: 'string' }, threads: { type: 'string', default: '1' } } });
if (values.role === 'picture') await startPictureHost(Number(values.threads));
else if (values.role === 'unpack') startUnpackHost();
else throw new Error(`expected --role picture or unpack, received ${values.role}`);
