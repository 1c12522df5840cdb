/** A terminal that remembers what it shows: text and the escape sequences of the live region are carried out on a grid. */
import type { Terminal } from '../screen.ts';

export interface FakeTerminal extends Terminal {
  /** Everything written, raw. */
  readonly written: string;
  /** The rows as a person sees them, down to the last one with something in it. */
  readonly lines: readonly string[];
  readonly cursorHidden: boolean;
  resize(columns: number, rows?: number): void;
}

// oxlint-disable-next-line no-control-regex -- it is about control characters
const piece = /\u001b\[([?\d;]*)([A-Za-z])|([\s\S])/gu;

export function fakeTerminal(options: { isTTY?: boolean; columns?: number; rows?: number } = {}): FakeTerminal {
  const { isTTY = true } = options;
  let { columns = 80, rows = 24 } = options;
  let written = '';
  let grid = [''];
  let at = { row: 0, column: 0 };
  let cursorHidden = false;
  const listeners = new Set<() => void>();

  const line = () => grid[at.row] ?? '';
  const down = () => {
    at = { row: at.row + 1, column: 0 };
    grid[at.row] ??= '';
  };
  const control = (code: string, final: string) => {
    if (final === 'F') at = { row: Math.max(0, at.row - Number(code)), column: 0 };
    if (final === 'K' || final === 'J') grid[at.row] = line().slice(0, at.column);
    if (final === 'J') grid = grid.slice(0, at.row + 1);
    if (code === '?25') cursorHidden = final === 'l';
  };

  return {
    isTTY,
    get columns() {
      return columns;
    },
    get rows() {
      return rows;
    },
    write(text) {
      written += text;
      for (const [, code, final, char = ''] of text.matchAll(piece)) {
        if (final !== undefined) control(code ?? '', final);
        else if (char === '\n') down();
        else {
          if (at.column >= columns) down();
          grid[at.row] = line().slice(0, at.column).padEnd(at.column) + char + line().slice(at.column + 1);
          at = { ...at, column: at.column + 1 };
        }
      }
    },
    onResize(callback) {
      listeners.add(callback);
      return () => void listeners.delete(callback);
    },
    get written() {
      return written;
    },
    get lines() {
      return grid.slice(0, grid.findLastIndex((each) => each !== '') + 1);
    },
    get cursorHidden() {
      return cursorHidden;
    },
    resize(nextColumns, nextRows = rows) {
      columns = nextColumns;
      rows = nextRows;
      for (const callback of listeners) callback();
    },
  };
}
