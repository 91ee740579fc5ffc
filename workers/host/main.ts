import { parseArgs } from 'node:util';

// Entry of a host: `main.ts --role picture|unpack --threads N [--name-decoders]`, started by the fleet with a channel to it.
const { values } = parseArgs({
  options: {
    role: { type: 'string' },
    threads: { type: 'string', default: '1' },
    'name-decoders': { type: 'boolean', default: false },
  },
});
if (values.role === 'picture') {
  const { startPictureHost } = await import('./picture-host.ts');
  await startPictureHost(Number(values.threads), values['name-decoders']);
} else if (values.role === 'unpack') (await import('./unpack-host.ts')).startUnpackHost();
else throw new Error(`expected --role picture or unpack, received ${values.role}`);
