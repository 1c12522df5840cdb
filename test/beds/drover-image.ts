/** The image of controller and agent, made from this checkout as its Dockerfile says, without an engine. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Instruction, lastOf, readDockerfile, type Stage } from './dockerfile.ts';
import { archiveOf, type ImageConfig } from './image.ts';

const checkout = fileURLToPath(new URL('../..', import.meta.url));

export const droverImage = { repository: 'beds.drover.dev/drover', tag: 'checkout' } as const;

/** Only what the Dockerfile copies is there: a file that the build needs and nobody copied fails here as it would in an engine. */
function follow({ word, rest }: Instruction, folder: string, out: string): void {
  if (word === 'COPY') {
    const paths = rest.split(/\s+/);
    const to = paths.pop() ?? '';
    for (const path of paths)
      cpSync(join(checkout, path), to.endsWith('/') ? join(folder, to, basename(path)) : join(folder, to), { recursive: true });
  } else if (word === 'RUN' && rest.startsWith('npm ci')) {
    // what it would install is installed here
    symlinkSync(join(checkout, 'node_modules'), join(folder, 'node_modules'));
  } else if (word === 'RUN') {
    execFileSync('sh', ['-ec', rest.replaceAll('/out', out)], { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  } else if (word !== 'WORKDIR') throw new Error(`Dockerfile: the beds do not follow ${word} in the stage that builds`);
}

function configOf(stage: Stage): ImageConfig {
  const list = (word: string) => JSON.parse(lastOf(stage, word) ?? '[]') as string[];
  return {
    Entrypoint: list('ENTRYPOINT'),
    Cmd: list('CMD'),
    User: lastOf(stage, 'USER') ?? '',
    WorkingDir: lastOf(stage, 'WORKDIR') ?? '/',
  };
}

/** Writes FOLDER/drover.tar, a docker archive for `loadImage`, and gives its path. */
export function writeDroverImage(folder: string): string {
  const [build, image] = readDockerfile(readFileSync(join(checkout, 'Dockerfile'), 'utf8'));
  if (!build || !image) throw new Error('Dockerfile: the beds expect one stage that builds and one that is shipped');
  const work = mkdtempSync(join(tmpdir(), 'drover-image-'));
  try {
    const [source, out] = [join(work, 'src'), join(work, 'out')];
    mkdirSync(source);
    mkdirSync(out);
    for (const instruction of build.instructions) follow(instruction, source, out);
    const tar = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner', '-C', out, '-cf', '-', '.'];
    const layer = execFileSync('tar', tar, { maxBuffer: 2 ** 30 });
    const archive = join(folder, 'drover.tar');
    writeFileSync(archive, archiveOf(`${droverImage.repository}:${droverImage.tag}`, layer, configOf(image)));
    return archive;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
