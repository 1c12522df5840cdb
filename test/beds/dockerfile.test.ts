import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { lastOf, readDockerfile } from './dockerfile.ts';

describe('a Dockerfile', () => {
  it('is read by stages, with lines that go on and without comments', () => {
    expect(readDockerfile('ARG A=1\n# no\nFROM x AS build\nRUN one && \\\n  two\n\nFROM scratch\nUSER 1\nUSER 2\n')).toEqual([
      { from: 'x', name: 'build', instructions: [{ word: 'RUN', rest: 'one && two' }] },
      {
        from: 'scratch',
        name: '',
        instructions: [
          { word: 'USER', rest: '1' },
          { word: 'USER', rest: '2' },
        ],
      },
    ]);
  });

  it('with an instruction that the beds would pass over is refused', () => {
    expect(() => readDockerfile('FROM x\nVOLUME /data\n')).toThrow('do not know the instruction "VOLUME /data"');
  });

  it('of Drover makes an image that holds nothing but the root file system, and runs as a user without a name on the host', () => {
    const last = readDockerfile(readFileSync(new URL('../../Dockerfile', import.meta.url), 'utf8')).at(-1);
    if (!last) throw new Error('no stage');
    expect(last.from).toBe('scratch');
    expect(last.instructions.filter(({ word }) => word === 'COPY')).toEqual([{ word: 'COPY', rest: '--from=build /out /' }]);
    expect(lastOf(last, 'USER')).toBe('65532:65532');
  });
});
