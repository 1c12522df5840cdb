import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { programPath } from './binaries.ts';

/** Image of the test app, in every node of a real-nodes bed; use imagePullPolicy: Never. */
export const appImage = 'beds.drover.dev/app:1';
export const pauseImage = 'beds.drover.dev/pause:1';

const BLOCK = 512;

/** One regular file, mode 0755, in the ustar format: a header block and the content padded to whole blocks. */
function entry(name: string, content: Buffer): Buffer {
  if (Buffer.byteLength(name) > 100) throw new Error(`${name}: longer than the 100 bytes of a tar name`);
  const header = Buffer.alloc(BLOCK);
  const octal = (value: number, offset: number, length: number) =>
    header.write(`${value.toString(8).padStart(length - 1, '0')}\0`, offset);
  header.write(name, 0);
  octal(0o755, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(content.length, 124, 12);
  octal(0, 136, 12);
  header.write(' '.repeat(8), 148); // the checksum is taken over blanks in its own place
  header.write('0', 156);
  header.write('ustar\x0000', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return Buffer.concat([header, content, Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK)]);
}

function tar(files: readonly (readonly [name: string, content: Buffer])[]): Buffer {
  return Buffer.concat([...files.map(([name, content]) => entry(name, content)), Buffer.alloc(2 * BLOCK)]);
}

const sha256 = (content: Buffer) => createHash('sha256').update(content).digest('hex');

const architectures: Partial<Record<NodeJS.Architecture, string>> = { x64: 'amd64', arm64: 'arm64' };

/** How an image is run, as its configuration has it. */
export interface ImageConfig {
  readonly Entrypoint: readonly string[];
  readonly Cmd?: readonly string[];
  readonly User?: string;
  readonly WorkingDir?: string;
}

export interface ImageFile {
  readonly path: string;
  readonly content: Buffer;
}

/** A docker archive (`ctr images import`, `docker load`) of an image that holds these programs and runs the entrypoint. */
export function imageArchive(name: string, programs: readonly ImageFile[], entrypoint: readonly string[]): Buffer {
  const layer = tar(programs.map(({ path, content }) => [path.replace(/^\//, ''), content]));
  return archiveOf(name, layer, { Entrypoint: entrypoint });
}

/** The same of an image with one layer, a tar file. */
export function archiveOf(name: string, layer: Buffer, run: ImageConfig): Buffer {
  const config = Buffer.from(
    JSON.stringify({
      architecture: architectures[process.arch] ?? process.arch,
      os: 'linux',
      config: run,
      rootfs: { type: 'layers', diff_ids: [`sha256:${sha256(layer)}`] },
    }),
  );
  const [configName, layerName] = [`${sha256(config)}.json`, `${sha256(layer)}/layer.tar`];
  const manifest = Buffer.from(JSON.stringify([{ Config: configName, RepoTags: [name], Layers: [layerName] }]));
  return tar([
    [configName, config],
    [layerName, layer],
    ['manifest.json', manifest],
  ]);
}

/** Writes the two images of every node into `folder`: the test app, and the same program as the sandbox container. */
export function writeStandardImages(folder: string): void {
  const program = { path: '/app', content: readFileSync(programPath('app')) };
  writeFileSync(`${folder}/app.tar`, imageArchive(appImage, [program], ['/app']));
  writeFileSync(`${folder}/pause.tar`, imageArchive(pauseImage, [program], ['/app', 'pause']));
}

/** Image of a pod that acts on its node: this machine's bash, and in place of nsenter a script that stays where it is. */
export const toolsImage = 'beds.drover.dev/tools:1';

// A bed may run in a container, and what runs there may not enter the namespaces of process 1.
const NO_NSENTER = '#!/bin/sh\nwhile [ "$1" != -- ]; do shift; done\nshift\nexec "$@"\n';

/** @throws Error where bash is missing on this machine */
export function toolsArchive(): Buffer {
  const bash = '/bin/bash';
  // "libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x...)", and the loader by its path alone.
  const listed = execFileSync('ldd', [bash], { encoding: 'utf8' });
  const libraries = [...listed.matchAll(/(\/\S+) \(0x/g)].flatMap(([, path]) => (path === undefined ? [] : [path]));
  const copied = [bash, ...new Set(libraries)].map((path) => ({ path, content: readFileSync(path) }));
  const files = [
    ...copied,
    { path: '/bin/sh', content: readFileSync(bash) },
    { path: '/bin/nsenter', content: Buffer.from(NO_NSENTER) },
  ];
  return imageArchive(toolsImage, files, ['/bin/sh']);
}
