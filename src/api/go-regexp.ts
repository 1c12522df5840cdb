/**
 * Regular expressions as Go's regexp package reads them (RE2): what kured's --alert-filter-regexp takes. JavaScript's own differ in syntax
 * ((?i), \z, [[:alpha:]], \Q..\E) and go back in a text, so that one in a policy could stop the controller; this one walks it once.
 */

/** One character, one assertion, or a way on. */
type State =
  | { readonly is: 'Char'; readonly matches: (char: string) => boolean; next: number }
  | { readonly is: 'Assert'; readonly holds: (before: string, after: string) => boolean; next: number }
  | { readonly is: 'Split'; next: number; other: number }
  | { readonly is: 'Match' };

type Tree =
  | { readonly is: 'Char'; readonly matches: (char: string) => boolean }
  | { readonly is: 'Assert'; readonly holds: (before: string, after: string) => boolean }
  | { readonly is: 'Concat' | 'Either'; readonly parts: readonly Tree[] }
  | { readonly is: 'Repeat'; readonly part: Tree; readonly min: number; readonly max: number };

interface GoFlags {
  readonly i: boolean;
  readonly m: boolean;
  readonly s: boolean;
}

export interface GoRegexp {
  /** Anywhere in the text, as regexp.MatchString. */
  test(text: string): boolean;
}

// As in RE2: more than so many repetitions are refused.
const MAX_REPEAT = 1_000;
const MAX_STATES = 20_000;
const MAX_DEPTH = 200;

/** @throws RangeError saying what is wrong and where. */
export function compileGoRegexp(pattern: string): GoRegexp {
  const states = assemble(parse([...pattern]));
  return {
    test(text) {
      const chars = [...text];
      let current = new Set<number>();
      for (let at = 0; at <= chars.length; at += 1) {
        const [before = '', after = ''] = [chars[at - 1], chars[at]];
        // Unanchored: a match may begin at any place.
        const reached = follow(states, [...current, 0], before, after);
        const next = new Set<number>();
        for (const index of reached) {
          const state = states[index];
          if (state?.is === 'Match') return true;
          if (state?.is === 'Char' && at < chars.length && state.matches(after)) next.add(state.next);
        }
        current = next;
      }
      return false;
    },
  };
}

/** All states that are reached without reading a character. */
function follow(states: readonly State[], from: readonly number[], before: string, after: string): Set<number> {
  const seen = new Set<number>();
  const open = [...from];
  for (let index = open.pop(); index !== undefined; index = open.pop()) {
    if (seen.has(index)) continue;
    seen.add(index);
    const state = states[index];
    if (state?.is === 'Split') open.push(state.next, state.other);
    else if (state?.is === 'Assert' && state.holds(before, after)) open.push(state.next);
  }
  return seen;
}

/** The first state is 0; each part is laid down with the number of the state that follows it. */
function assemble(tree: Tree): readonly State[] {
  const states: State[] = [{ is: 'Split', next: 0, other: 0 }, { is: 'Match' }];
  const add = (state: State): number => {
    if (states.length >= MAX_STATES) throw new RangeError('it is too large: fewer or smaller repetitions are needed');
    return states.push(state) - 1;
  };
  const lay = (part: Tree, next: number): number => {
    switch (part.is) {
      case 'Char':
      case 'Assert':
        return add({ ...part, next });
      case 'Concat':
        return part.parts.reduceRight((after, each) => lay(each, after), next);
      case 'Either':
        return part.parts.map((each) => lay(each, next)).reduceRight((other, first) => add({ is: 'Split', next: first, other }));
      case 'Repeat':
        return repeat(part, next);
    }
  };
  const repeat = ({ part, min, max }: Extract<Tree, { is: 'Repeat' }>, next: number): number => {
    let after = next;
    if (max === Number.POSITIVE_INFINITY) {
      const loop = { is: 'Split' as const, next: 0, other: next };
      after = add(loop);
      loop.next = lay(part, after);
    } else for (let times = min; times < max; times += 1) after = add({ is: 'Split', next: lay(part, after), other: next });
    for (let times = 0; times < min; times += 1) after = lay(part, after);
    return after;
  };
  const first = lay(tree, 1);
  states[0] = { is: 'Split', next: first, other: first };
  return states;
}

const word = (char: string) => /^[0-9A-Za-z_]$/.test(char);
const digit = (char: string) => /^[0-9]$/.test(char);
// RE2's \s has no \v.
const space = (char: string) => /^[\t\n\f\r ]$/.test(char);
const perl: Readonly<Record<string, (char: string) => boolean>> = { d: digit, w: word, s: space };
const posix: Readonly<Record<string, string>> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  ascii: '\\x00-\\x7F',
  blank: '\\t ',
  cntrl: '\\x00-\\x1F\\x7F',
  digit: '0-9',
  graph: '!-~',
  lower: 'a-z',
  print: ' -~',
  punct: '!-\\/:-@[-`{-~',
  space: '\\t\\n\\v\\f\\r ',
  upper: 'A-Z',
  word: '0-9A-Za-z_',
  xdigit: '0-9A-Fa-f',
};
const escapes: Readonly<Record<string, string>> = { a: '\x07', f: '\f', t: '\t', n: '\n', r: '\r', v: '\v' };

type CharTest = (char: string) => boolean;

function not(test: CharTest): CharTest {
  return (char) => !test(char);
}

/** With (?i) a character stands for all that fold to it. */
function folding(test: CharTest, { i }: GoFlags): CharTest {
  if (!i) return test;
  return (char) => test(char) || test(char.toLowerCase()) || test(char.toUpperCase());
}

function parse(chars: readonly string[]): Tree {
  let at = 0;
  let depth = 0;
  const fail = (what: string): never => {
    throw new RangeError(`${what} (at character ${at + 1})`);
  };
  const peek = (text: string) => [...text].every((char, offset) => chars[at + offset] === char);
  const take = (text: string) => {
    if (!peek(text)) return false;
    at += [...text].length;
    return true;
  };

  const either = (outer: GoFlags): Tree => {
    if ((depth += 1) > MAX_DEPTH) fail('groups are nested too deep');
    let flags = outer;
    const branches: Tree[][] = [[]];
    while (at < chars.length && chars[at] !== ')') {
      if (take('|')) branches.push([]);
      else {
        const branch = branches.at(-1) as Tree[]; // there is always one
        const changed = flagsHere(flags);
        if (changed) flags = changed;
        else if (take('\\Q')) branch.push(...quoted(flags));
        else branch.push(repeated(atom(flags)));
      }
    }
    depth -= 1;
    return { is: 'Either', parts: branches.map((parts) => ({ is: 'Concat', parts })) };
  };

  /** "(?i)": for the rest of the group that it stands in. */
  const flagsHere = (flags: GoFlags): GoFlags | null => {
    const begun = at;
    const read = take('(?') ? readFlags(flags) : null;
    if (read && take(')')) return read;
    at = begun;
    return null;
  };
  const readFlags = (flags: GoFlags): GoFlags | null => {
    let on = true;
    const next = { ...flags };
    for (; ; at += 1) {
      const char = chars[at];
      if (char === '-' && on) on = false;
      else if (char === 'i' || char === 'm' || char === 's') next[char] = on;
      // Greedy or not makes no difference to whether it matches.
      else if (char !== 'U') return next;
    }
  };

  const quoted = (flags: GoFlags): Tree[] => {
    const parts: Tree[] = [];
    while (at < chars.length && !take('\\E')) parts.push(literal(chars[at++] ?? '', flags));
    const last = parts.pop();
    return last ? [...parts, repeated(last)] : parts;
  };
  const literal = (char: string, flags: GoFlags): Tree => ({ is: 'Char', matches: folding((each) => each === char, flags) });

  const repeated = (part: Tree): Tree => {
    const bounds = repetition();
    if (!bounds) return part;
    take('?');
    if (repetition()) fail('a repetition of a repetition');
    const [min, max] = bounds;
    return { is: 'Repeat', part, min, max };
  };
  const repetition = (): readonly [number, number] | null => {
    if (take('*')) return [0, Number.POSITIVE_INFINITY];
    if (take('+')) return [1, Number.POSITIVE_INFINITY];
    if (take('?')) return [0, 1];
    const counted = /^\{(\d+)(,(\d*))?\}/.exec(chars.slice(at, at + 12).join(''));
    if (!counted) return null; // "{" alone is a character
    const [whole, from = '', comma, to = ''] = counted;
    const min = Number(from);
    const max = comma === undefined ? min : to === '' ? Number.POSITIVE_INFINITY : Number(to);
    if (min > MAX_REPEAT || (to !== '' && max > MAX_REPEAT) || max < min) fail(`${whole} is no repetition`);
    at += whole.length;
    return [min, max];
  };

  const atom = (flags: GoFlags): Tree => {
    const char = chars[at] ?? '';
    if (char === '(') return group(flags);
    if (char === '[') return { is: 'Char', matches: set(flags) };
    if (char === '\\') return escaped(flags);
    if (char === '*' || char === '+' || char === '?') fail(`${char} has nothing to repeat`);
    at += 1;
    if (char === '.') return { is: 'Char', matches: flags.s ? () => true : (each) => each !== '\n' };
    if (char === '^') return { is: 'Assert', holds: (before) => before === '' || (flags.m && before === '\n') };
    if (char === '$') return { is: 'Assert', holds: (_, after) => after === '' || (flags.m && after === '\n') };
    return literal(char, flags);
  };

  const group = (outer: GoFlags): Tree => {
    at += 1;
    let flags = outer;
    if (take('?')) {
      const named = /^P?<[A-Za-z0-9_]+>/.exec(chars.slice(at).join(''))?.[0];
      if (named !== undefined) at += named.length;
      else {
        flags = readFlags(outer) ?? outer;
        if (!take(':')) fail(`(?${chars[at] ?? ''} is not known to Go's regexp`);
      }
    }
    const inner = either(flags);
    if (!take(')')) fail('a ( without its )');
    return inner;
  };

  /** After the backslash. */
  const codePoint = (): string | null => {
    const rest = chars.slice(at, at + 12).join('');
    const [whole, long, short] = /^x(?:\{([0-9A-Fa-f]{1,6})\}|([0-9A-Fa-f]{2}))/.exec(rest) ?? [];
    const octal = /^(?:[1-7][0-7]{1,2}|0[0-7]{0,2})/.exec(rest)?.[0];
    if (whole !== undefined) {
      const code = Number.parseInt(long ?? short ?? '', 16);
      if (code > 0x10ffff) fail(`\\${whole} is no character`);
      at += whole.length;
      return String.fromCodePoint(code);
    }
    if (octal !== undefined) {
      at += octal.length;
      return String.fromCodePoint(Number.parseInt(octal, 8));
    }
    const char = chars[at] ?? '';
    if (char in escapes || /^[\x21-\x2f\x3a-\x40\x5b-\x60\x7b-\x7e ]$/.test(char)) {
      at += 1;
      return escapes[char] ?? char;
    }
    return null;
  };
  /** \d, \PL, \p{Greek}: after the backslash. */
  const kind = (): CharTest | null => {
    const char = chars[at] ?? '';
    const known = perl[char.toLowerCase()];
    if (known) {
      at += 1;
      return char === char.toLowerCase() ? known : not(known);
    }
    const [whole, p, caret, long, short] = /^([pP])(?:\{(\^?)(\w+)\}|([A-Z]))/.exec(chars.slice(at).join('')) ?? [];
    if (whole === undefined) return null;
    at += whole.length;
    const test = unicode(long ?? short ?? '') ?? fail(`\\${whole} is no class of characters`);
    return (p === 'P') !== (caret === '^') ? not(test) : test;
  };

  const escaped = (flags: GoFlags): Tree => {
    at += 1;
    if (take('A')) return { is: 'Assert', holds: (before) => before === '' };
    if (take('z')) return { is: 'Assert', holds: (_, after) => after === '' };
    if (take('b')) return { is: 'Assert', holds: (before, after) => word(before) !== word(after) };
    if (take('B')) return { is: 'Assert', holds: (before, after) => word(before) === word(after) };
    const test = kind();
    if (test) return { is: 'Char', matches: folding(test, flags) };
    const char = codePoint();
    return char === null ? fail(`\\${chars[at] ?? ''} is not known to Go's regexp`) : literal(char, flags);
  };

  const set = (flags: GoFlags): CharTest => {
    at += 1;
    const negated = take('^');
    const tests: CharTest[] = [];
    const one = (): string => {
      if (!take('\\')) return chars[at++] ?? fail('a [ without its ]');
      return codePoint() ?? fail(`\\${chars[at] ?? ''} does not belong between [ and ]`);
    };
    for (let first = true; first || chars[at] !== ']'; first = false) {
      if (at >= chars.length) fail('a [ without its ]');
      const named = /^\[:(\^?)([a-z]+):\]/.exec(chars.slice(at, at + 16).join(''));
      if (named) {
        const [whole, caret, name = ''] = named;
        const ranges = posix[name] ?? fail(`${whole} is no class of characters`);
        const test: CharTest = (char) => new RegExp(`^[${ranges}]$`).test(char);
        tests.push(caret === '^' ? not(test) : test);
        at += whole.length;
        continue;
      }
      if (chars[at] === '\\') {
        at += 1;
        const test = kind();
        if (test) {
          tests.push(test);
          continue;
        }
        at -= 1;
      }
      const from = one();
      if (chars[at] === '-' && at + 1 < chars.length && chars[at + 1] !== ']') {
        at += 1;
        const to = one();
        if ((to.codePointAt(0) ?? 0) < (from.codePointAt(0) ?? 0)) fail(`${from}-${to} is no range`);
        tests.push(within(from, to));
      } else tests.push((char) => char === from);
    }
    at += 1;
    const test = folding((char) => tests.some((each) => each(char)), flags);
    return negated ? not(test) : test;
  };

  const tree = either({ i: false, m: false, s: false });
  if (at < chars.length) fail('a ) without its (');
  return tree;
}

function within(from: string, to: string): CharTest {
  const [low = 0, high = 0] = [from.codePointAt(0), to.codePointAt(0)];
  return (char) => {
    const code = char.codePointAt(0) ?? 0;
    return low <= code && code <= high;
  };
}

function unicode(name: string): CharTest | null {
  // Go knows general categories and scripts by the same names as ECMAScript; scripts only with their key here.
  for (const property of [name, `Script=${name}`]) {
    try {
      const test = new RegExp(`^\\p{${property}}$`, 'u');
      return (char) => test.test(char);
    } catch {
      // the other way to write it
    }
  }
  return null;
}
