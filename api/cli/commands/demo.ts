import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Command } from 'commander';
import { EXIT, HomewardError } from '../../../schemas/error.ts';
import { runDemo } from '../../compose/run-demo.ts';
import { explainDemo } from '../../demo/explain.ts';
import { demoPlan } from '../../demo/plan.ts';
import { type CliContext, configFor, printLine } from '../context.ts';
import { scanProgress } from '../scan-progress.ts';
import { type ReportOutputs, writeReports } from '../write-reports.ts';

interface DemoOptions extends ReportOutputs {
  readonly keep?: string;
}

export function registerDemo(program: Command, context: CliContext): void {
  program
    .command('demo')
    .description(
      'render scenes of its own, import some as a known series, scan variants of them, and explain the outcome',
    )
    .option(
      '--keep <folder>',
      'make everything in this empty folder and leave it there (default: a temporary one, removed)',
    )
    .option('--html <file>', 'write the report as a page')
    .option('--report <file>', 'write the report as JSON')
    .addHelpText('after', '\nExamples:\n  homeward demo\n  homeward demo --keep ./homeward-demo --html demo.html')
    .action(async (options: DemoOptions) => await demo(context, options));
}

async function demo(context: CliContext, options: DemoOptions): Promise<void> {
  const { config } = await configFor(context, {});
  const folder = await demoFolder(context, options.keep);
  try {
    using progress = scanProgress(context);
    const found = await runDemo({
      config,
      folder,
      signal: context.stopSignal,
      progress,
      say: (sentence) => context.stderr.write(`${sentence}\n`),
      report: async (builder, items) => await writeReports(context, { ...options, reveal: true }, builder, items),
    });
    const explained = explainDemo(demoPlan(), found);
    printLine(context, '\nWhat you have just seen');
    for (const line of explained.lines) printLine(context, `  ${line.finding}\n      ${line.why}`);
    for (const surprise of explained.surprises) printLine(context, `  unexpected: ${surprise}`);
    if (!explained.asPlanned) context.exit.code = EXIT.internal;
    if (options.keep !== undefined)
      printLine(
        context,
        `\nEverything is in ${options.keep}: known/ and seized/ are the pictures, data/ is the database.`,
      );
    printLine(context, '\nNext: homeward scan <your folder> --html report.html');
  } finally {
    if (options.keep === undefined) await rm(folder, { recursive: true, force: true });
  }
}

async function demoFolder(context: CliContext, keep: string | undefined): Promise<string> {
  if (keep === undefined) return await mkdtemp(path.join(os.tmpdir(), 'homeward-demo-'));
  const folder = path.resolve(context.workingFolder, keep);
  await mkdir(folder, { recursive: true });
  if ((await readdir(folder)).length > 0) {
    throw new HomewardError(
      'HW_USAGE',
      `expected an empty folder for --keep, received ${JSON.stringify(keep)}, which holds something; name another one`,
    );
  }
  return folder;
}
