/** The table of a custom resource: apiextensions pkg/registry/customresource/tableconvertor. */
import type { KubeObject } from '../../kubernetes.ts';
import { type Cell, type Column, type Printer, since } from '../table/cell.ts';
import { jsonPath } from './json-path.ts';

export interface PrinterColumn {
  readonly name: string;
  readonly type: string;
  readonly jsonPath: string;
  readonly format?: string;
  readonly description?: string;
  readonly priority?: number;
}

const nameColumn: Column = { name: 'Name', type: 'string', format: 'name', description: 'Name must be unique', priority: 0 };

/** What is printed when the definition names no columns. */
export const ageColumn: PrinterColumn = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' };

export function columnPrinter(given: readonly PrinterColumn[] | undefined): Printer {
  const columns = given && given.length > 0 ? given : [ageColumn];
  const read = columns.map((column) => ({ type: column.type, find: jsonPath(column.jsonPath) }));
  return {
    columns: [
      nameColumn,
      ...columns.map((column) => ({
        name: column.name,
        type: column.type as Column['type'],
        format: column.format ?? '',
        description: column.description ?? `Custom resource definition column (in JSONPath format): ${column.jsonPath}`,
        priority: column.priority ?? 0,
      })),
    ],
    cells: (object: KubeObject, now) => [
      object.metadata.name,
      ...read.map(({ type, find }) => cellOf(type, find?.(object)[0], now)),
    ],
  };
}

function cellOf(type: string, value: unknown, now: number): Cell | null {
  if (value === undefined || value === null) return null;
  switch (type) {
    case 'integer':
      return typeof value === 'number' ? Math.trunc(value) : null;
    case 'number':
      return typeof value === 'number' ? value : null;
    case 'boolean':
      return typeof value === 'boolean' ? value : null;
    case 'date':
      if (typeof value !== 'string') return null;
      return Number.isNaN(Date.parse(value)) ? '<invalid>' : since(value, now);
    default:
      return typeof value === 'string' ? value : JSON.stringify(value);
  }
}
