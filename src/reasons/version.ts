/** Orders versions as people write them: "v1.34.2", "5.15.0-1073-azure", "containerd://1.7.2", "Ubuntu 22.04.5 LTS". */

/**
 * Below 0: `a` is lower. 0 also where they cannot be told apart: of two builds that differ only in a hash neither is newer, and to take
 * one for newer would have the other replaced without end.
 */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [partsOf(a), partsOf(b)];
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const [mine, theirs] = [left[index], right[index]];
    if (mine === theirs) {
      if (mine === 'eks') return 0; // what follows is a hash, also where it has only digits
      continue;
    }
    const [ranked, other] = [rankOf(mine), rankOf(theirs)];
    if (ranked !== other) return ranked - other;
    if (!isNumber(mine) || !isNumber(theirs)) return Math.sign(stages.indexOf(mine ?? '') - stages.indexOf(theirs ?? ''));
    return Math.sign(Number(mine) - Number(theirs));
  }
  return 0;
}

const stages = ['alpha', 'beta', 'rc'];

/** A pre-release is lower than its release, which has no such part; a further number is higher. A word says nothing. */
function rankOf(part: string | undefined): number {
  if (part === undefined) return 0;
  if (stages.includes(part)) return -1;
  return isNumber(part) ? 1 : 0;
}

function partsOf(version: string): string[] {
  return version
    .replace(/^v(?=\d)/, '')
    .split(/[^0-9A-Za-z]+/)
    .filter((part) => part !== '');
}

const isNumber = (part: string | undefined): boolean => part !== undefined && /^\d+$/.test(part);
