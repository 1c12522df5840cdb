/** What the beds understand of a Dockerfile: enough to follow the one of this repository without an engine. */

export interface Instruction {
  /** "RUN", in capitals. */
  readonly word: string;
  /** All after it, on one line. */
  readonly rest: string;
}

export interface Stage {
  readonly from: string;
  readonly name: string;
  readonly instructions: readonly Instruction[];
}

const known = new Set(['ARG', 'FROM', 'WORKDIR', 'COPY', 'RUN', 'USER', 'ENTRYPOINT', 'CMD', 'ENV']);

/** @throws Error on an instruction that the beds would not follow */
export function readDockerfile(text: string): Stage[] {
  const lines = text
    .split('\n')
    .filter((line) => !/^\s*(#|$)/.test(line))
    .join('\n')
    .replace(/\s*\\\n\s*/g, ' ')
    .split('\n')
    .filter((line) => line !== '');
  const stages: { from: string; name: string; instructions: Instruction[] }[] = [];
  for (const line of lines) {
    const [, word = '', rest = ''] = /^(\S+)\s+(.*)$/.exec(line) ?? [];
    if (!known.has(word)) throw new Error(`Dockerfile: the beds do not know the instruction "${line}"`);
    if (word === 'FROM') {
      const [from = '', , name = ''] = rest.split(/\s+/);
      stages.push({ from, name, instructions: [] });
    } else stages.at(-1)?.instructions.push({ word, rest });
  }
  return stages;
}

/** What comes after the last such instruction. */
export function lastOf({ instructions }: Stage, word: string): string | undefined {
  return instructions.findLast((each) => each.word === word)?.rest;
}
