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

/**
 * The same, where it fits. Else the last columns go below their row, each as "  WORD its text": wrapped columns cannot be read.
 * @param columns of the terminal; Infinity where there is none
 * @param below a word for each of the columns that may go below, as many as there are words
 */
export function foldedTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  columns: number,
  below: readonly string[],
): string[] {
  const whole = table(header, rows);
  if (whole.every((line) => widthOf(line) <= columns)) return whole;
  const kept = header.length - below.length;
  const [head = '', ...lines] = table(
    header.slice(0, kept),
    rows.map((row) => row.slice(0, kept)),
  );
  const under = (row: readonly string[] = []) =>
    below.flatMap((word, index) => (row[kept + index] ? [`  ${word} ${row[kept + index]}`] : []));
  return [head, ...lines.flatMap((line, index) => [line, ...under(rows[index])])];
}
