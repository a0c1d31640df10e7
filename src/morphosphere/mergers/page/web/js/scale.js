// Kiloparsec per arcsecond, for the cosmology of Planck 2018 (VI, table 2, last column).

const HUBBLE = 67.66; // km/s/Mpc
const LIGHT = 299792.458; // km/s
// Matter with the one massive neutrino (0.06 eV), and radiation with the other two.
const MATTER = 0.30966 + 0.00142;
const RADIATION = 5.402e-5 * (1 + (2 / 3) * 0.2271 * 3.046);
const ARCSEC = Math.PI / 648000;

const expansion = (a) => Math.sqrt(MATTER * a ** 3 + RADIATION * a ** 4 + 1 - MATTER - RADIATION);

/** Proper kpc per arcsecond at a redshift above 0 (Simpson's rule). */
export function kpcPerArcsec(redshift, steps = 400) {
  let sum = 0;
  for (let k = 0; k <= steps; k++) {
    const weight = k === 0 || k === steps ? 1 : k % 2 ? 4 : 2;
    sum += weight / expansion(1 + (redshift * k) / steps);
  }
  const comoving = ((LIGHT / HUBBLE) * sum * redshift) / steps / 3;
  return (1000 * comoving * ARCSEC) / (1 + redshift);
}
