/** What the real control plane answered, one file per subject under test/golden/conformance. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

export type Observations = Readonly<Record<string, unknown>>;

const fileOf = (subject: string) => new URL(`../golden/conformance/${subject}.json`, import.meta.url);

/** By the name of the case; empty when nothing has been recorded. */
export function readRecording(subject: string): Observations {
  const file = fileOf(subject);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Observations) : {};
}

export function writeRecording(subject: string, observations: Observations): void {
  writeFileSync(fileOf(subject), `${JSON.stringify(observations, null, 1)}\n`);
}
