import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileGoRegexp } from './go-regexp.ts';

const matches = (pattern: string, text: string) => compileGoRegexp(pattern).test(text);

describe("a regular expression of Go's", () => {
  // What regexp.MatchString of Go answers.
  it.each([
    ['RebootRequired', 'NodeRebootRequiredSoon', true],
    ['^RebootRequired$', 'NodeRebootRequired', false],
    ['(?i)^reboot', 'RebootRequired', true],
    ['a(?i)b', 'AB', false],
    ['a(?i)b', 'aB', true],
    ['(?i:a)b', 'Ab', true],
    ['(?i:a)b', 'AB', false],
    ['(?i)a|b', 'B', true],
    ['(?-i)a', 'A', false],
    ['(?P<name>Kube.*)Down', 'KubeletDown', true],
    ['(?<name>x+)y', 'xxy', true],
    ['\\AKube\\z', 'Kube', true],
    ['\\AKube\\z', 'Kube\n', false],
    ['^a$', 'a\n', false],
    ['(?m)^b$', 'a\nb\nc', true],
    ['a.b', 'a\nb', false],
    ['(?s)a.b', 'a\nb', true],
    ['^[[:upper:]][[:^digit:]]+$', 'Alert', true],
    ['^[[:upper:]]+$', 'Alert', false],
    ['^\\Qa.b*\\E+$', 'a.b**', true],
    ['^\\Qa.b', 'a.b', true],
    ['^\\p{Greek}\\PL\\p{^Lu}$', 'β1x', true],
    ['\\bDown\\b', 'Node Down', true],
    ['\\bDown\\b', 'NodeDown', false],
    ['^\\x41\\x{1F600}\\101$', 'A😀A', true],
    ['^.$', '😀', true],
    ['^x{2,3}$', 'xxxx', false],
    ['^x{2,}$', 'xxxx', true],
    ['^x{,3}$', 'x{,3}', true],
    ['^[]a]+$', ']a]', true],
    ['^[^]a]$', ']', false],
    ['^[a\\-z]+$', 'a-z', true],
    ['^[a-]+$', 'a-', true],
    ['', 'anything', true],
    ['(|a)+', '', true],
    ['(a*)*b', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', false],
    ['^(a|b|ab)*c', 'abababababababababababababababababababababab', false],
    ['\\s', '\v', false],
  ])('%j of %j: %s', (pattern, text, expected) => {
    expect(matches(pattern, text)).toBe(expected);
  });

  it.each([
    ['(?=a)', '(?= is not known'],
    ['(?!a)', '(?! is not known'],
    ['(a)\\1', '\\1 is not known'],
    ['a**', 'a repetition of a repetition'],
    ['*a', '* has nothing to repeat'],
    ['a|+', '+ has nothing to repeat'],
    ['(a', 'a ( without its )'],
    ['a)', 'a ) without its ('],
    ['[a', 'a [ without its ]'],
    ['[z-a]', 'z-a is no range'],
    ['[[:nothing:]]', 'is no class of characters'],
    ['\\pX', 'is no class of characters'],
    ['a{1001}', 'is no repetition'],
    ['a{3,2}', 'is no repetition'],
    ['((a{1000}){1000})', 'it is too large'],
    ['\\y', '\\y is not known'],
    ['a\\', 'is not known'],
  ])('refuses %j', (pattern, why) => {
    expect(() => compileGoRegexp(pattern)).toThrow(why);
  });

  it("matches what JavaScript's does, where both mean the same", () => {
    const leaf = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '\\d', 'b?', 'a{1,2}', '^', '$', '\\b', '1');
    const pattern = fc.letrec<{ tree: string; either: string; group: string; sequence: string }>((tie) => ({
      tree: fc.oneof({ maxDepth: 3 }, leaf, tie('either'), tie('group'), tie('sequence')),
      either: fc.tuple(tie('tree'), tie('tree')).map(([a, b]) => `(?:${a}|${b})`),
      group: fc.tuple(tie('tree'), fc.constantFrom('', '*', '+', '?', '{2}')).map(([a, times]) => `(${a})${times}`),
      sequence: fc.tuple(tie('tree'), tie('tree')).map(([a, b]) => `${a}${b}`),
    })).tree;
    const text = fc.array(fc.constantFrom('a', 'b', '1', ' '), { maxLength: 8 }).map((chars) => chars.join(''));
    fc.assert(
      fc.property(pattern, text, (source, subject) => {
        expect([source, subject, matches(source, subject)]).toEqual([source, subject, new RegExp(source).test(subject)]);
      }),
      { numRuns: 2_000 },
    );
  });
});
