/** The text of INSTALL.md in a bundle. */
export function installPage(about: {
  version: string;
  commit: string;
  date: Date;
  platform: string;
  node: string;
}): string {
  return `# Homeward ${about.version} for ${about.platform}

Made from commit ${about.commit} of ${about.date.toISOString().slice(0, 10)}, with Node.js ${about.node} inside. Needs no network, no npm and no compiler.

1. Compare the SHA-256 of the archive with the one you were given, unpack it, and go into its folder.
2. \`sha256sum --check --quiet SHA256SUMS\` says nothing when every file is as it was packed.
3. \`./homeward doctor\` tells what works on this machine. \`./homeward scan <folder>\` does the job; \`./homeward --help\` lists the rest.
4. With npm on the machine, \`npm test\` runs the tests and \`npm start -- <command>\` is the same as \`./homeward <command>\`. Never run \`npm install\` here: it would
   look for a network.

\`SBOM.cdx.json\` is the bill of materials (CycloneDX), \`LICENCES.txt\` the licence of every package, \`docs/\` the manual. To remove it all, delete the folder; case data
lies where \`--data\` said, by default in \`homeward-data\` below the folder it was started in.
`;
}
