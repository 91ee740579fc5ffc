/**
 * Every coded error of the engine, in one registry: the key is the code, the text is what docs/errors.md says of it.
 * A test holds the registry, the places that raise a code and docs/errors.md together in both directions.
 */

/** Exit codes of the command line; a failed or rejected file is an outcome in the report, not an error. */
export const EXIT = {
  done: 0,
  internal: 1,
  usage: 2,
  dependencyMissing: 3,
  someItemsFailed: 4,
  interrupted: 130,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

interface ErrorEntry {
  readonly exit: ExitCode;
  /** One sentence for docs/errors.md: when it happens. */
  readonly when: string;
  /** What the person does about it. */
  readonly todo: string;
}

const entry = (exit: ExitCode, when: string, todo: string): ErrorEntry => ({ exit, when, todo });

export const ERRORS = {
  HW_RUNTIME_MISSING: entry(
    EXIT.dependencyMissing,
    'The Node 24 runtime package of this platform is not installed.',
    'Run npm ci in the checkout, or start with a Node 24 of your own.',
  ),
  HW_PLATFORM_UNSUPPORTED: entry(
    EXIT.dependencyMissing,
    'A native part (pictures, database) has no build for this platform.',
    'Use one of the platforms listed in the README.',
  ),
  HW_INTERNAL: entry(
    EXIT.internal,
    'A defect of ours.',
    'Report it with the reference printed beside it; nothing already recorded is lost.',
  ),
  HW_USAGE: entry(
    EXIT.usage,
    'An option or argument is unknown, missing or of the wrong form.',
    'See --help of the command.',
  ),
  HW_CONFIG_INVALID: entry(
    EXIT.usage,
    'A value in the configuration file or an environment variable is not of the expected form.',
    'Correct the value named; homeward config show tells where each one comes from.',
  ),
  HW_PATH_NOT_FOUND: entry(
    EXIT.usage,
    'A path given on the command line does not exist or cannot be read.',
    'Check the path and its permissions.',
  ),
  HW_DATA_LOCKED: entry(
    EXIT.usage,
    'Another process has the embedded data folder open.',
    'Wait for it to end, or give another folder with --data.',
  ),
  HW_DATA_NEWER: entry(
    EXIT.usage,
    'The database was written by a newer version of the engine.',
    'Use that version or newer; this one changes nothing in it.',
  ),
  HW_DATA_DAMAGED: entry(
    EXIT.internal,
    'The embedded database does not open; a power loss can leave it so.',
    'Restore the folder from its backup, or scan again into a new one.',
  ),
  HW_DATABASE_UNREACHABLE: entry(
    EXIT.dependencyMissing,
    'The configured PostgreSQL server does not answer.',
    'Check the address and that the server runs.',
  ),
  HW_DATABASE_UNSUITABLE: entry(
    EXIT.dependencyMissing,
    'The server is older than PostgreSQL 15 or has no pgvector 0.8.',
    'Upgrade the server or install pgvector.',
  ),
  HW_DATABASE: entry(
    EXIT.internal,
    'The database refused a statement.',
    'See the SQLSTATE printed; nothing of the open transaction was kept.',
  ),
  HW_DATABASE_ROLE: entry(
    EXIT.dependencyMissing,
    'The role of the members is missing on the server, and the login of the engine may not make it or take it on.',
    'Let the DBA run the two statements of the message; docs/operations.md, Database server.',
  ),
  HW_UNAUTHENTICATED: entry(
    EXIT.usage,
    'What was presented (API key, certificate, login) is not known, has expired or was revoked.',
    'Ask the administrator of the organisation that runs the engine for a new one.',
  ),
  HW_AGREEMENT_ENDED: entry(
    EXIT.usage,
    'The organisation has no agreement in force: none was activated, or it has not begun, has ended or was revoked.',
    'Ask the organisation that runs the engine for a new agreement.',
  ),
  HW_PURPOSE_UNKNOWN: entry(
    EXIT.usage,
    'A purpose is not a code of the reviewed table, or is not one that the agreement names.',
    'Give one of the codes agreed; homeward purpose list shows all.',
  ),
  HW_JUSTIFICATION_MISSING: entry(
    EXIT.usage,
    'A consultation or disclosure was asked for without saying why.',
    'Say in a sentence why it is needed; it is recorded.',
  ),
  HW_CASE_NOT_FOUND: entry(
    EXIT.usage,
    'No open case of that number is assigned to who asks. A case of others, a closed one and a missing one are answered alike.',
    'Check the number, or have the case assigned.',
  ),
  HW_IDENTITY_PROVIDER: entry(
    EXIT.dependencyMissing,
    'The keys of an OpenID Connect issuer cannot be had, so that nobody can be let in by its tokens.',
    'See that the issuer answers; keys and certificates work meanwhile.',
  ),
  HW_UPLOAD_OFFSET: entry(
    EXIT.usage,
    'Bytes of an upload came from another place on than where the next one goes.',
    'Go on at the offset that is given.',
  ),
  HW_UPLOAD_BUSY: entry(
    EXIT.usage,
    'An upload is given bytes by two requests at once.',
    'Wait until the first has ended, then go on at the offset that GET says.',
  ),
  HW_UPLOAD_TOO_LONG: entry(
    EXIT.usage,
    'An upload was given more bytes than were stated when it was begun; what came before is dropped.',
    'Begin again at byte 0, or begin another upload with the right size.',
  ),
  HW_UPLOAD_DIGEST: entry(
    EXIT.usage,
    'An upload came whole and is another content than was stated; nothing of it is kept.',
    'Begin again at byte 0; check the file at its source.',
  ),
  HW_UPLOAD_BUDGET: entry(
    EXIT.usage,
    'An upload is larger than may be, than is left to the organisation, or than there is room for.',
    'Hand it in in parts, wait until what was handed in is processed, or have the limits raised.',
  ),
  HW_QUOTA_SPENT: entry(
    EXIT.usage,
    'The look-ups of the day, or of the minute, that the agreement allows are used up; nothing was looked up.',
    'Ask again after the seconds that are given, or for fewer at once.',
  ),
  HW_ACCESS_RULE: entry(
    EXIT.usage,
    'A change of who may do what breaks a rule: no agreement without an evaluation and a review date, no activation by who proposed it, no grant to oneself.',
    'Do what the message names, or have a second person do it.',
  ),
  HW_ACCESS_EXISTS: entry(
    EXIT.usage,
    'An organisation, principal, purpose, certificate, login or case of that name is there already, or the installation has its administrator.',
    'Use the one that is there, or choose another name.',
  ),
  HW_ACCESS_NOT_FOUND: entry(
    EXIT.usage,
    'An organisation, agreement, principal, key or purpose that was named is not there.',
    'The list commands of homeward organisation, agreement, key and purpose show what is there.',
  ),
  HW_WORKER_START: entry(EXIT.dependencyMissing, 'No worker process could be started.', 'Run homeward doctor.'),
  HW_SET_FORMAT: entry(
    EXIT.usage,
    'The format of a hash set was not recognised, or is not the one named.',
    'Name it with --format; homeward hashset import --help lists them.',
  ),
  HW_SET_DAMAGED: entry(
    EXIT.usage,
    'A hash set is truncated or not well-formed; it was refused whole.',
    'Ask its source for the file again; an earlier version stays in force.',
  ),
  HW_SET_PURPOSE: entry(
    EXIT.usage,
    'A hash set was to be imported as what it cannot be: known material as known-good, NSRL as known material, or a version of a set as something else than the one in force.',
    'Give the --purpose that the message names; known material is never loaded as known-good.',
  ),
  HW_SET_NOT_FOUND: entry(
    EXIT.usage,
    'No hash set of that name is in this database.',
    'homeward hashset list shows what is there.',
  ),
  HW_SET_FLOOD: entry(
    EXIT.usage,
    'A hash set, or a delta to one, is ten times as much as usual, and waits for a person.',
    'Look at it and ask its source. homeward hashset release brings a set into force; --justification lets a delta in; both are recorded.',
  ),
  HW_RECORD_NOT_FOUND: entry(
    EXIT.usage,
    'No suspended record of that number is in this database.',
    'homeward hashset suspended lists them.',
  ),
  HW_SERIES_NOT_FOUND: entry(
    EXIT.usage,
    'No series of that name is in this database.',
    'homeward series list shows what is there.',
  ),
  HW_SERIES_AMBIGUOUS: entry(
    EXIT.usage,
    'Several sources have a series of that name, and which one is meant was not said.',
    'Name the source with --source.',
  ),
  HW_SERIES_EXISTS: entry(
    EXIT.usage,
    'A series, subject, place, camera or link of that name or reference is there already.',
    'Add to the one that is there, or choose another reference.',
  ),
  HW_SERIES_FOREIGN: entry(
    EXIT.usage,
    'A series that came with the hash set of another source was to be changed.',
    'Create a series of your own and link the two: homeward series link.',
  ),
  HW_SERIES_MERGED: entry(
    EXIT.usage,
    'A series that was merged into another was to be changed.',
    'Change the series it was merged into, or undo the merge.',
  ),
  HW_SERIES_SOURCES: entry(
    EXIT.usage,
    'Series of different sources were to be merged, or series of one source to be linked.',
    'Link series of different sources, merge series of one source.',
  ),
  HW_SERIES_REFERENCE: entry(
    EXIT.usage,
    'A reference is not of the expected form; that of a subject must not be a name.',
    'Use a pseudonym of letters, digits and . _ - / #, for a subject with a digit in it, such as V1.',
  ),
  HW_SERIES_PART_NOT_FOUND: entry(
    EXIT.usage,
    'A media, face, subject, place, camera, batch, link or change that was named is not there.',
    'Scan the material first, with faces where a face is meant; homeward series show lists what a series holds.',
  ),
  HW_SERIES_FACES: entry(
    EXIT.usage,
    'A face was given to a second subject, or two faces of one picture to one subject.',
    'A face is one person, and two faces in one picture are two: correct the subjects.',
  ),
  HW_SERIES_CAMERA: entry(
    EXIT.usage,
    'A camera was given without a serial number that means anything.',
    'Give a body or lens serial number; fillers such as 0000 or N/A identify nothing.',
  ),
  HW_SERIES_TOO_LARGE: entry(
    EXIT.usage,
    'More was to be changed at once than one change can hold.',
    'Divide it over several commands.',
  ),
  HW_SERIES_UNDO: entry(
    EXIT.usage,
    'A change cannot be undone: later changes, evidence or leads rest on it.',
    'Undo the later changes first; the message names them.',
  ),
  HW_CANDIDATE_NOT_FOUND: entry(
    EXIT.usage,
    'No proposal of that number, or no media of that number in it, is in this database.',
    'homeward candidates list shows the proposals, homeward candidates show ID their media.',
  ),
  HW_CANDIDATE_STATE: entry(
    EXIT.usage,
    'A proposal is not in the state that a decision needs, such as one that was decided already.',
    'homeward candidates show ID tells its state and what was decided; undo that first.',
  ),
  HW_PURPOSE_REQUIRED: entry(
    EXIT.usage,
    'A disclosure was asked for without purpose and recipient, or a look into the audit without a justification.',
    'Give --purpose and --recipient, or --justification.',
  ),
  HW_AUDIT_UNWRITABLE: entry(
    EXIT.internal,
    'The audit entry could not be written, so nothing was done.',
    'Check the database and its free space.',
  ),
  HW_AUDIT_KEY: entry(
    EXIT.usage,
    'There is no signing key of the audit, it is another one than is in use, or others can read its file.',
    'homeward audit key init makes the first one, homeward audit key change another; docs/audit.md, The signing key.',
  ),
  HW_AUDIT_BROKEN: entry(
    EXIT.someItemsFailed,
    'The audit, or an export of it, is not as it was written: something was edited, left out, moved or cut off.',
    'Keep it as it is, as evidence; docs/audit.md, When it does not verify.',
  ),
  HW_AUDIT_WITNESS: entry(
    EXIT.usage,
    'A file or code is not the copy of a checkpoint, or no checkpoint is known of that code.',
    'Type the code again, or ask for the file again; docs/audit.md, Checkpoints leave the machine.',
  ),
  HW_AUDIT_EXPORT: entry(
    EXIT.usage,
    'A file given as export of the audit, or as a public key, cannot be read or is none.',
    'Give the file that homeward audit export wrote, and a public key in PEM.',
  ),
  HW_REPORT_INVALID: entry(
    EXIT.usage,
    'A file given as report is not a report of this engine.',
    'Give the JSON that scan --report wrote.',
  ),
  HW_REPORT_DIFFERS: entry(
    EXIT.someItemsFailed,
    'A report could not be reproduced: something differs besides times.',
    'The differences are listed; compare versions and material.',
  ),
  HW_BATCH_NOT_FOUND: entry(
    EXIT.usage,
    'There is no interrupted batch to resume for these paths, case and exhibit.',
    'Run the command without --resume.',
  ),
  HW_VERSION_NOT_FOUND: entry(
    EXIT.usage,
    'Nothing in the database was made with the version that was named.',
    'Check the spelling; reports name the versions they rest on.',
  ),
  HW_OUTPUT_UNWRITABLE: entry(
    EXIT.usage,
    'A report or export file cannot be written.',
    'Choose a folder that exists and is writable.',
  ),
  HW_MODEL_NOT_FOUND: entry(
    EXIT.usage,
    'There is no model pack of that id.',
    'homeward models list shows what is there; install a pack of your own with homeward models install.',
  ),
  HW_MODEL_MANIFEST: entry(
    EXIT.usage,
    'The manifest of a model pack is missing, is not of the schema, or contradicts itself.',
    'Correct the part named; docs/models.md explains each.',
  ),
  HW_MODEL_FILE: entry(
    EXIT.usage,
    'A file of a model pack is missing, or has another size or digest than its manifest says.',
    'Get the pack again from where it came from; for a shipped one run homeward models build.',
  ),
  HW_MODEL_FORMAT: entry(
    EXIT.usage,
    'The net of a model pack is not an ONNX file that can be opened safely.',
    'Export it again as one ONNX file of standard operations with its weights inside; docs/models.md, Limits.',
  ),
  HW_MODEL_SHAPE: entry(
    EXIT.usage,
    'The net of a model pack has other inputs or outputs than its manifest says.',
    'Correct the names and shapes in the manifest, or use the net that it was written for.',
  ),
  HW_MODEL_SELF_TEST: entry(
    EXIT.usage,
    'The net of a model pack does not give the output of its self-test on this machine.',
    'Do not use it: the net is another one, or this machine computes wrongly. Try provider cpu.',
  ),
  HW_MODEL_LIMIT: entry(
    EXIT.usage,
    'The process that tries a model pack ran out of its time or memory, or crashed.',
    'Do not use the pack unless you trust its source and can say why; the engine itself was not touched.',
  ),
  HW_MODEL_LICENCE: entry(
    EXIT.usage,
    'The licence of a model pack has to be accepted before it is installed.',
    'Read its terms, and add --accept-licence if your unit may use it; the act is recorded.',
  ),
  HW_MODEL_BUILD: entry(
    EXIT.dependencyMissing,
    'The shipped weights cannot be converted, or give another net than the pinned one.',
    'Run npm ci, so that the packages have the versions of the lock file.',
  ),
  HW_MODEL_PROVIDER: entry(
    EXIT.usage,
    'The configured execution provider is not offered on this machine.',
    'Set models.provider to cpu; homeward doctor lists what is offered.',
  ),
  HW_LEAD_NOT_FOUND: entry(
    EXIT.usage,
    'No lead of that number is in this database.',
    'homeward leads list shows what is there.',
  ),
  HW_LEAD_FILE: entry(
    EXIT.usage,
    'A file of dispositions is not of the agreed form; nothing in it was taken.',
    'Write it as docs/leads.md says, Dispositions that come back.',
  ),
  HW_MATCH_NOT_FOUND: entry(
    EXIT.usage,
    'No match of that number is in this database.',
    'Numbers stand in homeward leads list: m12 for digests and perceptual hashes, v45 for models.',
  ),
  HW_SHARD_SETUP: entry(
    EXIT.usage,
    'Shards were to be used that are not set up, or a server that was named as one is not fit for it.',
    'See the part named; homeward db shard status lists the shards, docs/scale.md says what they need.',
  ),
  HW_SHARD_UNREACHABLE: entry(
    EXIT.dependencyMissing,
    'A shard does not answer. An answer without its part would be incomplete, so none is given.',
    'Start it, or take the shards out of use with homeward db shard remove.',
  ),
  HW_SHARD_STALE: entry(
    EXIT.internal,
    'The copies of a gallery on a shard are older than the gallery.',
    'Run homeward db shard sync.',
  ),
  HW_REQUEST_INVALID: entry(
    EXIT.usage,
    'A request to the API is not of the form that its route describes.',
    'Correct the part named; /openapi.json describes each route.',
  ),
  HW_FORBIDDEN: entry(
    EXIT.usage,
    'The caller of the API is known, and its role or agreement does not allow what was asked.',
    'Ask the administrator of your unit, or the unit that runs the engine.',
  ),
  HW_NOT_FOUND: entry(
    EXIT.usage,
    'The API has no such thing, or none that the caller may know of.',
    'Check the address; lists show what there is for you.',
  ),
  HW_BODY_TOO_LARGE: entry(
    EXIT.usage,
    'The body of a request is larger than its route takes.',
    'Send it in parts; uploads go on at an offset.',
  ),
  HW_MEDIA_TYPE: entry(
    EXIT.usage,
    'The body of a request is of a type that its route does not take.',
    'Set Content-Type to the one that /openapi.json names.',
  ),
  HW_IDEMPOTENCY_KEY: entry(
    EXIT.usage,
    'An Idempotency-Key was sent again with another request than the first.',
    'Use a new key for a new request; repeat a key only with the same request.',
  ),
  HW_CLOCK_STEPPED: entry(
    EXIT.dependencyMissing,
    'The clock of a machine stepped back by more than 5 s, so nothing is decided under an agreement, whose first and last day and quota go by it.',
    'Set the clock right, look at what was entered meanwhile, and clear the alarm: homeward audit alarms.',
  ),
  HW_BUSY: entry(
    EXIT.dependencyMissing,
    'The API has as many requests under way as it can answer in time.',
    'Send the request again after the seconds that Retry-After names.',
  ),
  HW_CASE_UNKNOWN: entry(
    EXIT.usage,
    'No case of that reference, of this organisation, is in this database.',
    'homeward case material shows them; name the organisation with --organisation.',
  ),
  HW_ERASURE_BLOCKED: entry(
    EXIT.internal,
    'Deleted rows cannot be written over yet, since an older transaction or a replication slot may still see them.',
    'End the sessions or slots that the message speaks of and run the same command again; it goes on where it stopped.',
  ),
  HW_VALIDATION_FAILED: entry(
    EXIT.someItemsFailed,
    'A requirement of homeward validate did not hold on this machine.',
    'Do not use this installation for evidence; the report names the requirement.',
  ),
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof ERRORS;

/**
 * An error that a person can act on. The message has one shape:
 * expected what, for what, received what, what to do.
 */
export class HomewardError extends Error {
  override readonly name = 'HomewardError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }

  get exitCode(): ExitCode {
    return ERRORS[this.code].exit;
  }
}
