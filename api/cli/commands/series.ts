import { Argument, type Command, Option } from 'commander';
import { SUBJECT_KINDS, VICTIM_IDENTIFIED, type VictimIdentified } from '../../../schemas/series.ts';
import { type CliContext, withCommonOptions } from '../context.ts';
import { positiveInteger } from '../option-values.ts';
import type * as Changes from './series-change.ts';
import type { SeriesShowOptions } from './series-show.ts';
import { faceList, samePersonList, sha256, sha256List } from './series-values.ts';

// Loaded by the command that needs them: what changes a series brings along checks that take half a second to build.
const showing = async () => await import('./series-show.ts');
const changing = async (): Promise<typeof Changes> => await import('./series-change.ts');

const REFERENCES =
  'References of subjects, places and cameras are pseudonyms (V1, P2, C1): names of people do not belong there, and a\nsubject reference without a digit, or with a blank, is refused.';

export function registerSeries(program: Command, context: CliContext): void {
  const series = program
    .command('series')
    .description('known series: material, people, places and cameras that belong together');
  registerShowing(series, context);
  registerAdding(series, context);
  registerCombining(series, context);
}

function registerShowing(series: Command, context: CliContext): void {
  withCommonOptions(series.command('list'))
    .description('every series with its source, records and the contents that matched it')
    .option('--json', 'as JSON')
    .option('--reveal', 'show series names in full (recorded)')
    .addHelpText('after', '\nExample:\n  homeward series list --reveal')
    .action(async (options: SeriesShowOptions) => (await showing()).list(context, options));
  withCommonOptions(series.command('show'))
    .description('one series: what each source says, subjects, places, cameras, links, matches by method, changes')
    .argument('<name>', 'name of the series, as its source wrote it')
    .option('--source <name>', 'where two sources use the same name')
    .option('--json', 'as JSON')
    .option('--reveal', 'show names, reasons and serial numbers in full (recorded)')
    .addHelpText('after', '\nExample:\n  homeward series show "bridge series" --source "Project VIC"')
    .action(async (name: string, options: SeriesShowOptions) => (await showing()).show(context, name, options));
}

/** Options of every command that changes a series. */
function changeOf(series: Command, command: string): Command {
  return withCommonOptions(series.command(command))
    .argument('<name>', 'name of the series')
    .option('--source <name>', 'where two sources use the same name (default: the unit itself)')
    .option('--reason <text>', 'why, for the history and the audit trail')
    .option('--json', 'print the outcome as JSON');
}

function registerAdding(series: Command, context: CliContext): void {
  changeOf(series, 'create')
    .description('make a series of your own')
    .addHelpText(
      'after',
      '\nExamples:\n  homeward series create "case 44"\n  homeward series create bridge --source "Unit B" --reason "told by telephone, file 2026-0412"',
    )
    .action(async (name: string, options: Changes.ChangeOptions) => (await changing()).create(context, name, options));
  changeOf(series, 'add')
    .description('add scanned media, a subject with faces, a place with pictures, or a camera')
    .option('--media <sha256...>', 'media that were scanned: of the series, or with --place of the place', sha256List)
    .option('--subject <reference>', 'a person, by pseudonym')
    .addOption(new Option('--kind <kind>', 'of a new subject').choices([...SUBJECT_KINDS]))
    .option('--face <sha256#number...>', 'faces of the subject, numbered in their picture from 0', faceList)
    .option('--place <reference>', 'a scene, by pseudonym; its pictures with --media')
    .option('--camera <reference>', 'a device, by pseudonym')
    .option('--body-serial <number>', 'serial number of the camera')
    .option('--lens-serial <number>', 'serial number of its lens')
    .option('--make <name>', 'its maker')
    .option('--model <name>', 'its model')
    .option('--from <sha256>', 'take make, model and serial numbers of the camera from this scanned picture', sha256)
    .option('--batch <id>', 'every picture and video of a batch, by the number in its report')
    .option('--from-batch <case/exhibit>', 'every picture and video that was scanned as this case and exhibit')
    .addHelpText(
      'after',
      `\n${REFERENCES}\n\nExamples:
  homeward series add "case 44" --media 5df6e0e2...
  homeward series add "case 44" --subject V1 --kind victim --face 5df6e0e2...#0 77c1a0f3...#2
  homeward series add "case 44" --place P1 --media 5df6e0e2...
  homeward series add "case 44" --camera C1 --from 5df6e0e2...
  homeward series add "case 44" --camera C2 --make Canon --body-serial 0123456789AB
  homeward series add "case 44" --from-batch 2026-0412/7`,
    )
    .action(async (name: string, options: Changes.AddOptions) => (await changing()).add(context, name, options));
  changeOf(series, 'identified')
    .description('say whether the victim is identified; what other sources say stays beside it')
    .addArgument(new Argument('<said>', 'as far as this unit knows').choices([...VICTIM_IDENTIFIED]))
    .addHelpText('after', '\nExample:\n  homeward series identified "case 44" partly --reason "V1 by school, V2 open"')
    .action(async (name: string, said: VictimIdentified, options: Changes.ChangeOptions) =>
      (await changing()).identified(context, name, said, options),
    );
}

function registerCombining(series: Command, context: CliContext): void {
  changeOf(series, 'link')
    .description('say that series of two sources belong together; neither takes anything from the other')
    .requiredOption('--with <name>', 'the other series')
    .option('--with-source <name>', 'its source, where two use the same name')
    .addHelpText(
      'after',
      '\nExample:\n  homeward series link "case 44" --with bridge --with-source "Project VIC" --reason "same room, see 2026-0412/7"',
    )
    .action(async (name: string, options: Parameters<typeof Changes.link>[2]) =>
      (await changing()).link(context, name, options),
    );
  changeOf(series, 'unlink')
    .description('withdraw a link; who made it and why can still be read')
    .requiredOption('--with <name>', 'the other series')
    .option('--with-source <name>', 'its source, where two use the same name')
    .addHelpText('after', '\nExample:\n  homeward series unlink "case 44" --with bridge --with-source "Project VIC"')
    .action(async (name: string, options: Parameters<typeof Changes.unlink>[2]) =>
      (await changing()).unlink(context, name, options),
    );
  changeOf(series, 'merge')
    .description('merge a series into another of the same source; its name stays and leads there')
    .requiredOption('--into <name>', 'the series that stays')
    .option('--into-source <name>', 'its source, where two use the same name')
    .option(
      '--same-person <from=into...>',
      'subjects of the two that are one person; others stay apart',
      samePersonList,
    )
    .addHelpText(
      'after',
      '\nExample:\n  homeward series merge "case 51" --into "case 44" --same-person V1=V3 --reason "V1 is V3: partner, 12 May"',
    )
    .action(async (name: string, options: Parameters<typeof Changes.merge>[2]) =>
      (await changing()).merge(context, name, options),
    );
  changeOf(series, 'split')
    .description('move a part of a series to a new one; faces go with their subject, pictures with their place')
    .requiredOption('--into <name>', 'name of the new series')
    .option('--media <sha256...>', 'media of the series', sha256List)
    .option('--subject <reference...>', 'subjects, by reference')
    .option('--place <reference...>', 'places, by reference')
    .option('--camera <reference...>', 'cameras, by reference')
    .addHelpText('after', '\nExample:\n  homeward series split "case 44" --into "case 44 b" --subject V2 --place P2')
    .action(async (name: string, options: Changes.SplitOptions) => (await changing()).split(context, name, options));
  changeOf(series, 'undo')
    .description('undo the last change of a series, or a given one: everything is put back as it was')
    .option('--change <number>', 'which one; homeward series show lists them', positiveInteger)
    .addHelpText(
      'after',
      '\nA change that later ones rest on is refused; the message names them.\n\nExamples:\n  homeward series undo "case 44"\n  homeward series undo "case 44" --change 12 --reason "wrong picture"',
    )
    .action(async (name: string, options: Parameters<typeof Changes.undo>[2]) =>
      (await changing()).undo(context, name, options),
    );
}
