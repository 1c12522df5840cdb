import { widthOf } from './live-region.ts';

/** Columns as kubectl prints them: three spaces between, each as wide as its widest cell, nothing after the last. Empty cells read "-". */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const cells = [header, ...rows.map((row) => row.map((cell) => cell || '-'))];
  const widths = header.map((_, column) => Math.max(...cells.map((row) => widthOf(row[column] ?? ''))));
  return cells.map((row) =>
    row
      .map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - widthOf(cell)))
      .join('   ')
      .trimEnd(),
  );
}
