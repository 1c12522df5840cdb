import { table } from '../table.ts';
import type { Adoption } from './adoption.ts';

/** For people: what became of each setting, and what is left to do. */
export function reportLines({ tool, title, rows, toDo }: Adoption, left: readonly string[]): string[] {
  const lines = rows.map(({ setting, value, becomes, note }) => [setting, shown(value), becomes || 'nothing', note]);
  return [
    `${tool} (${title})`,
    ...(lines.length > 0 ? table(['SETTING', 'VALUE', 'BECOMES', 'NOTE'], lines) : ['no settings: its defaults are taken over']),
    ...left.map((field) => `left out: spec.${field}, which this version of Drover does not know`),
    ...toDo.map((each) => `to do: ${each}`),
  ];
}

function shown(value: string): string {
  const line = value.replaceAll(/\s+/g, ' ');
  return line.length > 40 ? `${line.slice(0, 37)}...` : line;
}
