/**
 * Lines at the end of a terminal that are redrawn in place. Each frame is one write that overwrites line by line and only then
 * erases the rest, inside a synchronised update where the terminal knows it: so nothing flickers. The cursor is hidden meanwhile.
 */
import { stripVTControlCharacters } from 'node:util';
import type { Terminal } from './screen.ts';

export interface LiveRegion {
  /** Shows these lines instead of the last ones; longer ones are cut. Called again with the same lines it writes nothing. */
  draw(lines: readonly string[]): void;
  /** Takes the region away, lets `write` print whole lines, and puts it back below. */
  aside(write: () => void): void;
  /** Leaves the last lines where they are and gives the cursor back. May be called twice. */
  end(): void;
}

const ESC = '\u001b[';
const hideCursor = `${ESC}?25l`;
const showCursor = `${ESC}?25h`;
const beginUpdate = `${ESC}?2026h`;
const endUpdate = `${ESC}?2026l`;
const eraseLine = `${ESC}K`;
const eraseBelow = `${ESC}J`;

export function createLiveRegion(terminal: Terminal): LiveRegion {
  let wanted: readonly string[] = [];
  let drawn: readonly string[] = [];
  let begun = false;
  let ended = false;

  // A narrower terminal has wrapped what was drawn into more rows.
  const rowsDrawn = () =>
    drawn.reduce((sum, line) => sum + Math.max(1, Math.ceil(widthOf(line) / Math.max(1, terminal.columns))), 0);
  const toTop = () => {
    const rows = rowsDrawn();
    return rows > 0 ? `${ESC}${rows}F` : '';
  };
  const fit = (lines: readonly string[]) => {
    const most = Math.max(1, terminal.rows - 1);
    const kept = lines.length > most ? [...lines.slice(0, most - 1), `... ${lines.length - most + 1} more lines`] : lines;
    // One column stays free: a full line leaves the cursor in a state that terminals treat differently.
    return kept.map((line) => cut(line, Math.max(1, terminal.columns - 1)));
  };

  const redraw = () => {
    if (ended) return;
    const next = fit(wanted);
    const top = toTop();
    terminal.write(
      `${begun ? '' : hideCursor}${beginUpdate}${top}${next.map((line) => `${line}${eraseLine}\n`).join('')}${eraseBelow}${endUpdate}`,
    );
    begun = true;
    drawn = next;
  };
  const stopListening = terminal.onResize(redraw);

  return {
    draw(lines) {
      wanted = lines;
      const next = fit(lines);
      if (next.length === drawn.length && next.every((line, index) => line === drawn[index])) return;
      redraw();
    },
    aside(write) {
      if (ended || drawn.length === 0) return write();
      terminal.write(`${beginUpdate}${toTop()}${eraseBelow}`);
      drawn = [];
      write();
      redraw();
    },
    end() {
      if (ended) return;
      ended = true;
      stopListening();
      if (begun) terminal.write(showCursor);
    },
  };
}

/** Columns that a line takes. Wide characters (CJK, emoji) do not occur in names of Kubernetes objects and count as one. */
export function widthOf(line: string): number {
  return [...stripVTControlCharacters(line)].length;
}

// One style sequence, or one character.
const piece = /\u001b\[[0-9;]*m|[\s\S]/gu; // eslint-disable-line no-control-regex -- it is about control characters

/** At most `columns` wide; style sequences count nothing and are kept, also behind the cut, so that no style stays open. */
export function cut(line: string, columns: number): string {
  if (widthOf(line) <= columns) return line;
  let left = columns - 1;
  let text = '';
  for (const [part] of line.matchAll(piece)) {
    if (part.startsWith('\u001b[')) text += part;
    else if (left > 0) {
      text += part;
      left -= 1;
      if (left === 0) text += '\u2026';
    }
  }
  return text;
}
