import { describe, expect, it } from 'vitest';
import { createLiveRegion, cut, widthOf } from './live-region.ts';
import { fakeTerminal } from './testing/fake-terminal.ts';

const red = (text: string) => `\u001b[31m${text}\u001b[39m`;

describe('createLiveRegion', () => {
  it('draws new lines over the last ones', () => {
    const terminal = fakeTerminal();
    const region = createLiveRegion(terminal);
    region.draw(['one', 'two, a long line']);
    region.draw(['uno', 'dos']);
    expect(terminal.lines).toEqual(['uno', 'dos']);
  });

  it('leaves nothing of a longer frame below a shorter one', () => {
    const terminal = fakeTerminal();
    const region = createLiveRegion(terminal);
    region.draw(['one', 'two', 'three']);
    region.draw(['only']);
    expect(terminal.lines).toEqual(['only']);
  });

  it('writes nothing for the same lines', () => {
    const terminal = fakeTerminal();
    const region = createLiveRegion(terminal);
    region.draw(['one']);
    const before = terminal.written;
    region.draw(['one']);
    expect(terminal.written).toBe(before);
  });

  it('never erases a line before it is written again, so that nothing flickers', () => {
    const terminal = fakeTerminal();
    const region = createLiveRegion(terminal);
    region.draw(['one', 'two']);
    const before = terminal.written.length;
    region.draw(['uno', 'dos']);
    expect(terminal.written.slice(before)).toBe('\u001b[?2026h\u001b[2Funo\u001b[K\ndos\u001b[K\n\u001b[J\u001b[?2026l');
  });

  it('keeps what stands above it', () => {
    const terminal = fakeTerminal();
    terminal.write('$ drover drain\n');
    const region = createLiveRegion(terminal);
    region.draw(['one']);
    region.draw(['two']);
    expect(terminal.lines).toEqual(['$ drover drain', 'two']);
  });

  it('prints lines on the side above itself', () => {
    const terminal = fakeTerminal();
    const region = createLiveRegion(terminal);
    region.draw(['one', 'two']);
    region.aside(() => terminal.write('warning: look\n'));
    expect(terminal.lines).toEqual(['warning: look', 'one', 'two']);
    region.draw(['three']);
    expect(terminal.lines).toEqual(['warning: look', 'three']);
  });

  it('cuts lines to the width, so that none wraps', () => {
    const terminal = fakeTerminal({ columns: 10 });
    createLiveRegion(terminal).draw(['0123456789abc', 'short']);
    expect(terminal.lines).toEqual(['01234567\u2026', 'short']);
  });

  it('says how many lines do not fit on the screen', () => {
    const terminal = fakeTerminal({ rows: 4 });
    createLiveRegion(terminal).draw(['1', '2', '3', '4', '5']);
    expect(terminal.lines).toEqual(['1', '2', '... 3 more lines']);
  });

  it('draws itself again when the terminal gets wider', () => {
    const terminal = fakeTerminal({ columns: 10 });
    createLiveRegion(terminal).draw(['0123456789abc']);
    terminal.resize(40);
    expect(terminal.lines).toEqual(['0123456789abc']);
  });

  it('goes up by as many rows as a narrower terminal has wrapped its lines into', () => {
    const terminal = fakeTerminal({ columns: 41 });
    createLiveRegion(terminal).draw(['x'.repeat(40), 'y']);
    const before = terminal.written.length;
    terminal.resize(20);
    expect(terminal.written.slice(before)).toContain('\u001b[3F');
  });

  it('hides the cursor while it stands and gives it back at the end, once', () => {
    const terminal = fakeTerminal();
    const region = createLiveRegion(terminal);
    expect(terminal.cursorHidden).toBe(false);
    region.draw(['one']);
    expect(terminal.cursorHidden).toBe(true);
    region.end();
    const before = terminal.written;
    region.end();
    region.draw(['two']);
    terminal.resize(40);
    expect(terminal.cursorHidden).toBe(false);
    expect(terminal.written).toBe(before);
    expect(terminal.lines).toEqual(['one']);
  });
});

describe('cut', () => {
  it('counts no style and leaves none open', () => {
    expect(widthOf(red('abc'))).toBe(3);
    expect(cut(red('abcdef'), 4)).toBe(red('abc\u2026'));
    expect(cut(red('abcd'), 4)).toBe(red('abcd'));
  });
});
