/** Quantities of the wire ("100m", "1Gi", 2, "1e3") as numbers: apimachinery's resource.Quantity as far as arithmetic on requests needs it. */

// Value and suffix; the exponent form ("12E3") is tried before the suffix E (exa), which has no digits after it.
const FORM = /^([+-]?)(\d*)(?:\.(\d*))?(?:([eE][+-]?\d+)|(n|u|m|k|M|G|T|P|E|[KMGTPE]i))?$/;

const DECIMAL: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };
const BINARY: Readonly<Record<string, number>> = { Ki: 1, Mi: 2, Gi: 3, Ti: 4, Pi: 5, Ei: 6 };

/** The quantity times 10^scale, rounded up as Quantity.ScaledValue does. */
function scaled(text: string, scale: number): number {
  const [, sign = '', whole = '', fraction = '', exponent, suffix = ''] = FORM.exec(text) ?? [];
  if (whole === '' && fraction === '')
    throw new RangeError(`quantity "${text}" is not a number with a unit such as 100m, 2 or 1Gi`);
  const power = scale - fraction.length + (exponent ? Number(exponent.slice(1)) : (DECIMAL[suffix] ?? 0));
  const digits = Number(whole + fraction) * 1024 ** (BINARY[suffix] ?? 0);
  // Digits stay whole and are divided at the end: 1.1 * 1000 is 1100.0000000000002, which would round up to 1101.
  const size = power >= 0 ? digits * 10 ** power : digits / 10 ** -power;
  return (sign === '-' ? -Math.floor(size) : Math.ceil(size)) || 0;
}

function remembered(scale: number): (quantity: string | number | undefined) => number {
  const known = new Map<string, number>();
  return (quantity) => {
    if (quantity === undefined) return 0;
    if (typeof quantity === 'number') return scaled(String(quantity), scale);
    let value = known.get(quantity);
    if (value === undefined) {
      value = scaled(quantity, scale);
      if (known.size > 10_000) known.clear();
      known.set(quantity, value);
    }
    return value;
  };
}

/** In whole units (bytes, pods, cores), rounded up; 0 when absent. Throws RangeError on text that is no quantity. */
export const unitsOf = remembered(0);

/** In thousandths (millicores), rounded up; 0 when absent. Throws RangeError on text that is no quantity. */
export const milliOf = remembered(3);
