import { parseArgs } from 'node:util';

// Entry of a host: `main.ts --role picture|unpack|model --threads N [--name-decoders] [--packs FILE]`, started by the fleet with a channel to it.
const { values } = parseArgs({
  options: {
    role: { type: 'string' },
    threads: { type: 'string', default: '1' },
    'name-decoders': { type: 'boolean', default: false },
    packs: { type: 'string' },
  },
});
if (values.role === 'picture') {
  const { startPictureHost } = await import('./picture-host.ts');
  await startPictureHost(Number(values.threads), values['name-decoders']);
} else if (values.role === 'unpack') (await import('./unpack-host.ts')).startUnpackHost();
else if (values.role === 'model' && values.packs !== undefined) {
  const { startModelHost } = await import('./model-host.ts');
  await startModelHost(Number(values.threads), values.packs);
} else throw new Error(`expected --role picture, unpack or model with --packs, received ${values.role}`);
