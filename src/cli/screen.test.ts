import { describe, expect, it } from 'vitest';
import { createScreen } from './screen.ts';
import { fakeTerminal } from './testing/fake-terminal.ts';

function screen(env: Record<string, string> = {}, options: { isTTY?: boolean; color?: boolean } = {}) {
  const stdout = fakeTerminal({ isTTY: options.isTTY ?? true });
  const stderr = fakeTerminal();
  const exits = new Set<() => void>();
  const atExit = (callback: () => void) => {
    exits.add(callback);
    return () => void exits.delete(callback);
  };
  return { screen: createScreen({ stdout, stderr, env, color: options.color ?? true, atExit }), stdout, stderr, exits };
}

describe('createScreen', () => {
  it('paints on a terminal', () => {
    expect(screen().screen.paint('good', 'x')).toBe('\u001b[32mx\u001b[39m');
  });

  it.each([
    ['NO_COLOR is set', { NO_COLOR: '1' }, {}],
    ['--no-color is given', {}, { color: false }],
    ['the terminal is dumb', { TERM: 'dumb' }, {}],
    ['stdout is a file', {}, { isTTY: false }],
  ])('paints nothing when %s', (_, env, options) => {
    expect(screen(env, options).screen.paint('good', 'x')).toBe('x');
  });

  it.each([
    ['stdout is a file', {}, { isTTY: false }],
    ['the terminal is dumb', { TERM: 'dumb' }, {}],
    ['it runs in CI', { CI: 'true' }, {}],
  ])('has no live region when %s', (_, env, options) => {
    expect(screen(env, options).screen.live()).toBeNull();
  });

  it('still has one without colours', () => {
    expect(screen({ NO_COLOR: '1' }).screen.live()).not.toBeNull();
  });

  it('writes lines above the live region until it has ended', () => {
    const { screen: made, stdout } = screen();
    const region = made.live();
    region?.draw(['bar']);
    made.out('line');
    expect(stdout.lines).toEqual(['line', 'bar']);
    region?.end();
    made.out('after');
    expect(stdout.lines).toEqual(['line', 'bar', 'after']);
  });

  it('gives the cursor back when the process ends under a live region', () => {
    const { screen: made, stdout, exits } = screen();
    made.live()?.draw(['bar']);
    for (const callback of exits) callback();
    expect(stdout.cursorHidden).toBe(false);
  });
});
