/**
 * Snapshots as files: JSON lines, gzipped or not. The first line says what it is and how many objects follow, so that a file that was cut off
 * is known as such; then one object a line, owners before what they own.
 */
import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import type { KubeObject } from '../kubernetes.ts';
import { snapshotKinds } from './kinds.ts';
import { createSharing } from './sharing.ts';
import type { MissingKind, Snapshot } from './snapshot.ts';

/** A snapshot cannot be read or written; the message is one line for the user. */
export class SnapshotError extends Error {
  override readonly name = 'SnapshotError';
}

const KIND = 'DroverSnapshot';
/** Of the format. A reader knows one; another one is refused. */
const VERSION = 1;
/** Text handed to the file system at a time. */
const CHUNK_CHARACTERS = 256 * 1024;
/** Read, and unzipped, at a time. */
const CHUNK_BYTES = 256 * 1024;
const GZIP_MAGIC = [0x1f, 0x8b];
const NEWLINE = 0x0a;

interface Header {
  readonly kind: typeof KIND;
  readonly version: typeof VERSION;
  /** RFC 3339. */
  readonly takenAt: string;
  readonly server: string;
  readonly objects: number;
  readonly missing: readonly MissingKind[];
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or directory',
  EISDIR: 'is a directory',
  EACCES: 'permission denied',
  ENOSPC: 'no space left',
};

function told(path: string, error: unknown): SnapshotError {
  if (error instanceof SnapshotError) return error;
  const { code = '', message } = error as NodeJS.ErrnoException;
  return new SnapshotError(`${path}: ${reasons[code] ?? message}`, { cause: error });
}

function* textOf({ takenAt, server, objects, missing }: Snapshot): Generator<string> {
  const header: Header = {
    kind: KIND,
    version: VERSION,
    takenAt: new Date(takenAt).toISOString(),
    server,
    objects: objects.length,
    missing,
  };
  let text = `${JSON.stringify(header)}\n`;
  for (const object of objects) {
    text += `${JSON.stringify(object)}\n`;
    if (text.length < CHUNK_CHARACTERS) continue;
    yield text;
    text = '';
  }
  yield text;
}

/**
 * Writes it to a file, gzipped when the name ends in .gz; "-" is `print`, by default standard output. The file appears when it is complete, and replaces one of that name.
 * @throws SnapshotError
 */
export async function writeSnapshot(
  path: string,
  snapshot: Snapshot,
  print: (text: string) => void = (text) => process.stdout.write(text),
): Promise<void> {
  if (path === '-') {
    for (const text of textOf(snapshot)) print(text);
    return;
  }
  const text = Readable.from(textOf(snapshot));
  const partial = `${path}.${process.pid}.partial`;
  try {
    // It names what runs in the cluster and where.
    const file = createWriteStream(partial, { mode: 0o600 });
    await (path.endsWith('.gz') ? pipeline(text, createGzip(), file) : pipeline(text, file));
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    throw told(path, error);
  }
}

/** The lines of a stream as bytes that are valid until more are asked for: all of a chunk at once, since each wait costs as much as a line. */
async function* linesOf(stream: AsyncIterable<Buffer>): AsyncGenerator<readonly Buffer[]> {
  let rest: Buffer[] = [];
  for await (const chunk of stream) {
    const lines: Buffer[] = [];
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      const line = chunk.subarray(start, end);
      lines.push(rest.length > 0 ? Buffer.concat([...rest, line]) : line);
      rest = [];
      start = end + 1;
    }
    if (start < chunk.length) rest.push(chunk.subarray(start));
    yield lines;
  }
  if (rest.length > 0) yield [Buffer.concat(rest)];
}

async function* unzipped(source: Readable): AsyncGenerator<Buffer> {
  const chunks = source[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  const first = await chunks.next();
  if (first.done) return;
  const whole = (async function* () {
    yield first.value;
    for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value;
  })();
  if (!GZIP_MAGIC.every((byte, at) => first.value[at] === byte)) return yield* whole;
  const gunzip = createGunzip({ chunkSize: CHUNK_BYTES });
  const pumped = pipeline(whole, gunzip);
  // Its failure ends the reading below with the same error; unheard it would end the process.
  pumped.catch(() => {});
  yield* gunzip as AsyncIterable<Buffer>;
  await pumped;
}

function parsed(path: string, line: Buffer, number: number): unknown {
  try {
    return JSON.parse(line.toString('utf8'));
  } catch {
    const what = number === 1 ? 'not a snapshot: its first line is not JSON' : `line ${number} is not JSON`;
    throw new SnapshotError(`${path}: ${what}; write one with: drover snapshot -o FILE`);
  }
}

function headerOf(path: string, value: unknown): Header {
  const { kind, version, takenAt, objects, missing, server } = (value ?? {}) as Partial<Header>;
  if (kind !== KIND) throw new SnapshotError(`${path}: not a snapshot; write one with: drover snapshot -o FILE`);
  if (version !== VERSION) {
    throw new SnapshotError(
      `${path}: a snapshot of version ${String(version)}, and this drover reads version ${VERSION}; write it anew with: drover snapshot -o FILE`,
    );
  }
  const complete =
    typeof takenAt === 'string' &&
    !Number.isNaN(Date.parse(takenAt)) &&
    typeof server === 'string' &&
    typeof objects === 'number' &&
    Array.isArray(missing);
  if (!complete) throw new SnapshotError(`${path}: the first line lacks takenAt, server, objects or missing`);
  return value as Header;
}

const known = new Set(
  snapshotKinds.map(({ group, version, kind }) => `${group === '' ? version : `${group}/${version}`} ${kind}`),
);
/** Kinds without a spec. */
const plain = new Set(['PriorityClass', 'StorageClass', 'EndpointSlice', 'Namespace', 'ControllerRevision']);

function objectOf(path: string, value: unknown, number: number): KubeObject {
  const { apiVersion, kind, metadata, spec } = (value ?? {}) as Partial<KubeObject>;
  const at = `${path}: line ${number}`;
  if (!known.has(`${apiVersion} ${kind}`)) {
    const what = kind === undefined ? 'no object' : `a ${apiVersion} ${kind}`;
    throw new SnapshotError(`${at} is ${what}, which no snapshot holds`);
  }
  if (typeof metadata?.name !== 'string' || typeof metadata.uid !== 'string')
    throw new SnapshotError(`${at}: a ${kind} without name or uid`);
  if (typeof spec !== 'object' && !plain.has(kind ?? '')) throw new SnapshotError(`${at}: ${kind} ${metadata.name} has no spec`);
  return value as KubeObject;
}

async function read(path: string, source: Readable): Promise<Snapshot> {
  const share = createSharing();
  const objects: KubeObject[] = [];
  let header: Header | undefined;
  let number = 0;
  const cutOff = () =>
    new SnapshotError(`${path}: cut off after ${objects.length} of ${header?.objects ?? 'its'} objects; copy or write it again`);
  const take = (line: Buffer) => {
    number += 1;
    if (header && objects.length >= header.objects)
      throw new SnapshotError(`${path}: more than the ${header.objects} objects that its first line announces`);
    let value: unknown;
    try {
      value = parsed(path, line, number);
    } catch (error) {
      // Half a line at the end: text was lost, not damaged.
      if (header && !line.toString('utf8').trimEnd().endsWith('}')) throw cutOff();
      throw error;
    }
    if (header) objects.push(share(objectOf(path, value, number)));
    else header = headerOf(path, value);
  };
  try {
    for await (const lines of linesOf(unzipped(source))) for (const line of lines) take(line);
  } catch (error) {
    // zlib's code for a stream that ends too early.
    if ((error as NodeJS.ErrnoException).code === 'Z_BUF_ERROR') throw cutOff();
    throw error;
  }
  if (!header) throw new SnapshotError(`${path}: empty; write one with: drover snapshot -o FILE`);
  if (objects.length < header.objects) throw cutOff();
  return { takenAt: Date.parse(header.takenAt), server: header.server, objects, missing: header.missing };
}

/** Reads a file that `writeSnapshot` wrote, gzipped or not; "-" is `stdin`. @throws SnapshotError */
export async function readSnapshot(path: string, stdin: Readable = process.stdin): Promise<Snapshot> {
  try {
    return await read(path, path === '-' ? stdin : createReadStream(path, { highWaterMark: CHUNK_BYTES }));
  } catch (error) {
    throw told(path, error);
  }
}
