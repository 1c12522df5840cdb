/** Field errors in the words of apimachinery pkg/util/validation/field/errors.go, with values as that package prints them. */
import type { FieldError } from '../refusals.ts';

const error = (reason: string, text: string, field: string, detail: string): FieldError => ({
  reason: `FieldValue${reason}`,
  message: detail === '' ? text : `${text}: ${detail}`,
  // How a path without elements prints.
  field: field === '' ? '<nil>' : field,
});

const shown = (value: unknown) => JSON.stringify(value ?? null);

export const typeInvalid = (field: string, value: unknown, detail: string) =>
  error('TypeInvalid', `Invalid value: ${shown(value)}`, field, detail);
export const invalidField = (field: string, value: unknown, detail: string) =>
  error('Invalid', `Invalid value: ${shown(value)}`, field, detail);
export const requiredField = (field: string, detail = '') => error('Required', 'Required value', field, detail);
export const forbiddenValue = (field: string, detail: string) => error('Forbidden', 'Forbidden', field, detail);
export const duplicateValue = (field: string, value: unknown) =>
  error('Duplicate', `Duplicate value: ${shown(value)}`, field, '');
export const tooLongText = (field: string, most: number) =>
  error('TooLong', 'Too long', field, `may not be more than ${most} ${most === 1 ? 'byte' : 'bytes'}`);
export const tooMany = (field: string, actual: number, most: number) =>
  error('TooMany', `Too many: ${actual}`, field, `must have at most ${most} ${most === 1 ? 'item' : 'items'}`);

/** In the order in which the schema names the values. */
export const unsupported = (field: string, value: unknown, supported: readonly unknown[]) => {
  const names = supported.map((name) => JSON.stringify(typeof name === 'string' ? name : JSON.stringify(name)));
  return error('NotSupported', `Unsupported value: ${shown(value)}`, field, `supported values: ${names.join(', ')}`);
};
