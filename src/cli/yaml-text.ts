/** YAML, loaded only where it is printed: behind a file of its own, because a bundle cannot name the exports of a CommonJS package that is imported on demand. */
import { stringify } from 'yaml';

/** One document, long texts on one line. */
export function yamlText(value: unknown): string {
  return stringify(value, { lineWidth: 0, aliasDuplicateObjects: false });
}
