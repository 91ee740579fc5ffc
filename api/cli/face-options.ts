import type { Command } from 'commander';
import { HomewardError } from '../../schemas/error.ts';
import type { ModelsAsked } from '../compose/models-stage.ts';

export interface FaceOptions {
  readonly faces?: true;
  readonly authority?: string;
  readonly necessity?: string;
}

export function withFaceOptions(command: Command): Command {
  return command
    .option('--faces', 'look for faces too; needs --authority and --necessity, which are recorded')
    .option('--authority <reference>', 'order or decision that allows a search for faces')
    .option('--necessity <text>', 'why faces have to be searched in this case');
}

/**
 * Null: faces are not looked for.
 * @throws HomewardError HW_USAGE where faces are asked for without what the law asks for, or grounds are given without asking
 */
export function faceSearchAsked({ faces, authority, necessity }: FaceOptions): ModelsAsked['faceSearch'] {
  if (!faces) {
    if (authority === undefined && necessity === undefined) return null;
    throw new HomewardError('HW_USAGE', 'expected --faces with --authority and --necessity, received them without it');
  }
  if (!authority?.trim() || !necessity?.trim()) {
    throw new HomewardError(
      'HW_USAGE',
      'expected --authority and --necessity with --faces, since a search for faces needs both; received only one or none of them',
    );
  }
  return { authority: authority.trim(), necessity: necessity.trim() };
}
