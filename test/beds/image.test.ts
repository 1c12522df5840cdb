import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { imageArchive } from './image.ts';

const unpack = (archive: Buffer, file: string) => execFileSync('tar', ['-xOf', '-', file], { input: archive });
const sha256 = (content: Buffer) => createHash('sha256').update(content).digest('hex');

describe('image archive', () => {
  it('is a docker archive that tar reads, its layer named by its digest', () => {
    const content = Buffer.from('program '.repeat(100));
    const archive = imageArchive('beds.drover.dev/app:1', [{ path: '/app', content }], ['/app']);
    const [manifest] = JSON.parse(unpack(archive, 'manifest.json').toString()) as [
      { Config: string; RepoTags: string[]; Layers: string[] },
    ];
    expect(manifest.RepoTags).toEqual(['beds.drover.dev/app:1']);
    const layer = unpack(archive, manifest.Layers[0] ?? '');
    const config = JSON.parse(unpack(archive, manifest.Config).toString()) as { config: unknown; rootfs: { diff_ids: string[] } };
    expect(config.config).toEqual({ Entrypoint: ['/app'] });
    expect(config.rootfs.diff_ids).toEqual([`sha256:${sha256(layer)}`]);
    expect(unpack(layer, 'app')).toEqual(content);
    expect(execFileSync('tar', ['-tvf', '-'], { input: layer }).toString()).toMatch(/^-rwxr-xr-x 0\/0 +800 /);
  });

  it('refuses a path that does not fit into the header', () => {
    expect(() => imageArchive('a', [{ path: `/${'x'.repeat(101)}`, content: Buffer.alloc(0) }], [])).toThrow('longer than');
  });
});
