"""Loops over the particles of one galaxy, compiled: each reads its arrays once.

Positions and velocities are (N, 3), masses and radii (N,), in any floating type; all sums are in
double precision. `morphosphere.extract.structure` says what they are for.
"""

from __future__ import annotations

import numpy as np

from morphosphere.compiled import compiled

#: Bins in which the place of the middle is looked for.
_BINS = 2048


@compiled
def centred(position, start, shift, box, room, radius):  # pragma: no cover
    """Write positions less `start`, across the periodic edge, less `shift` to `room`.

    Also the distances to `radius`. The shift can move a particle beyond half a box again.
    """
    inverse = 1 / box if box > 0 else 0.0
    for i in range(len(position)):
        squared = np.float32(0)
        for k in range(3):
            x = position[i, k] - start[k]
            x -= box * np.rint(x * inverse)
            x -= shift[k]
            x -= box * np.rint(x * inverse)
            near = np.float32(x)
            room[i, k] = near
            squared += near * near
        radius[i] = np.sqrt(squared)


@compiled
def finite(bits, exponent):  # pragma: no cover
    """Whether no number has all bits of its exponent set; numbers as integers of their bits."""
    worst = exponent & ~exponent
    for i in range(len(bits)):
        worst = max(worst, bits[i] & exponent)
    return worst != exponent


@compiled
def near(position, mass, limit):  # pragma: no cover
    """Positions, coordinate by coordinate as (3, M), and masses of particles within a radius."""
    rows = np.empty(len(mass), dtype=np.int64)
    count = 0
    for i in range(len(mass)):
        a, b, c = position[i, 0], position[i, 1], position[i, 2]
        rows[count] = i
        count += a * a + b * b + c * c < limit * limit
    x, weight = np.empty((3, count)), np.empty(count)
    for j in range(count):
        i = rows[j]
        x[0, j], x[1, j], x[2, j] = position[i, 0], position[i, 1], position[i, 2]
        weight[j] = mass[i]
    return x, weight


@compiled
def moments(x, mass, turn, limit):  # pragma: no cover
    """Second moments (3, 3) of the mass where ``turn @ x`` is shorter than `limit`, and how many.

    x is (3, N) and `turn` (3, 3).
    """
    xx = yy = zz = xy = xz = yz = total = 0.0
    count = 0
    for i in range(len(mass)):
        a, b, c = x[0, i], x[1, i], x[2, i]
        u = turn[0, 0] * a + turn[0, 1] * b + turn[0, 2] * c
        v = turn[1, 0] * a + turn[1, 1] * b + turn[1, 2] * c
        w = turn[2, 0] * a + turn[2, 1] * b + turn[2, 2] * c
        m = mass[i] if u * u + v * v + w * w < limit * limit else 0.0
        count += m != 0
        total += m
        xx += m * a * a
        yy += m * b * b
        zz += m * c * c
        xy += m * a * b
        xz += m * a * c
        yz += m * b * c
    out = np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])
    return out / total, count


@compiled
def principal(matrix):  # pragma: no cover
    """Eigenvalues (3,) of a symmetric matrix (3, 3), rising, and its eigenvectors as rows.

    Rotations of Jacobi (Press et al. 2007, Numerical Recipes, 11.1): for matrices so small they
    take less time than a call of LAPACK.
    """
    a, vectors = matrix.copy(), np.eye(3)
    for _ in range(20):
        size = a[0, 0] ** 2 + a[1, 1] ** 2 + a[2, 2] ** 2
        if a[0, 1] ** 2 + a[0, 2] ** 2 + a[1, 2] ** 2 <= 1e-34 * size:
            break
        for p, q in ((0, 1), (0, 2), (1, 2)):
            if a[p, q] ** 2 <= 1e-40 * size:
                continue
            ratio = (a[q, q] - a[p, p]) / (2 * a[p, q])
            t = 1 / (abs(ratio) + np.sqrt(ratio * ratio + 1))
            t = t if ratio >= 0 else -t
            c = 1 / np.sqrt(t * t + 1)
            s = t * c
            for k in range(3):
                a[k, p], a[k, q] = c * a[k, p] - s * a[k, q], s * a[k, p] + c * a[k, q]
            for k in range(3):
                a[p, k], a[q, k] = c * a[p, k] - s * a[q, k], s * a[p, k] + c * a[q, k]
                vectors[p, k], vectors[q, k] = (
                    c * vectors[p, k] - s * vectors[q, k],
                    s * vectors[p, k] + c * vectors[q, k],
                )
    values = np.array([a[0, 0], a[1, 1], a[2, 2]])
    order = np.argsort(values)
    return values[order], vectors[order]


@compiled
def shape(position, mass, radius, iterations):  # pragma: no cover
    """Principal axes (3, 3) and ratio of the minor to the major, -1 if it is not known.

    See `structure.shape_axes`. Elongated shapes reach beyond the sphere of that radius; what lies
    farther than four times of it hardly ever comes in.
    """
    x, mass = near(position, mass, 4 * radius)
    axes, scale, ratio = np.eye(3), np.ones(3), -1.0
    for _ in range(iterations):
        second, count = moments(x, mass, axes / scale.reshape(3, 1), radius)
        if count < 10:
            break
        values, vectors = principal(second)
        least = 1e-12 * max(values[2], 1e-30)
        lengths = np.sqrt(np.maximum(values[::-1], least))
        axes = vectors[::-1].copy()
        scale = lengths / np.prod(lengths) ** (1 / 3)
        last, ratio = ratio, lengths[2] / lengths[0]
        if abs(ratio - last) < 1e-3:
            break
    return axes, ratio


@compiled
def momentum(position, velocity, mass):  # pragma: no cover
    """Angular momentum (3,), and the sum of the amounts of the particles'."""
    x = y = z = amount = 0.0
    for i in range(len(mass)):
        m = np.float64(mass[i])
        a, b, c = np.float64(position[i, 0]), np.float64(position[i, 1]), np.float64(position[i, 2])
        p, q, r = np.float64(velocity[i, 0]), np.float64(velocity[i, 1]), np.float64(velocity[i, 2])
        u, v, w = b * r - c * q, c * p - a * r, a * q - b * p
        x += m * u
        y += m * v
        z += m * w
        amount += m * np.sqrt(u * u + v * v + w * w)
    return np.array([x, y, z]), amount


@compiled
def frame(position, velocity, mass, axes, coherence):  # pragma: no cover
    """Axes (3, 3) of the disc frame; see `structure.disc_frame`."""
    spin, amount = momentum(position, velocity, mass)
    length = np.sqrt((spin * spin).sum())
    if amount > 0 and length > coherence * amount:
        up = spin / length
    else:
        up = axes[2] if (axes[2] * spin).sum() >= 0 else -axes[2]
    along = axes[0] - (axes[0] * up).sum() * up
    if (along * along).sum() < 1e-6:
        along = axes[1] - (axes[1] * up).sum() * up
    along = along / np.sqrt((along * along).sum())
    largest = 0
    for k in range(1, 3):
        if abs(along[k]) > abs(along[largest]):
            largest = k
    if along[largest] < 0:
        along = -along
    out = np.empty((3, 3))
    out[0], out[2] = along, up
    for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        out[1, i] = up[j] * along[k] - up[k] * along[j]
    return out


@compiled
def energies(position, velocity, mass, axis):  # pragma: no cover
    """Twice the kinetic energy, and that in rotation about an axis through the origin."""
    total = ordered = 0.0
    for i in range(len(mass)):
        m = np.float64(mass[i])
        a, b, c = np.float64(position[i, 0]), np.float64(position[i, 1]), np.float64(position[i, 2])
        p, q, r = np.float64(velocity[i, 0]), np.float64(velocity[i, 1]), np.float64(velocity[i, 2])
        spin = (b * r - c * q) * axis[0] + (c * p - a * r) * axis[1] + (a * q - b * p) * axis[2]
        height = a * axis[0] + b * axis[1] + c * axis[2]
        squared = a * a + b * b + c * c - height * height
        total += m * (p * p + q * q + r * r)
        ordered += m * spin * spin / squared if squared > 0 else 0.0
    return total, ordered


@compiled
def total(values):  # pragma: no cover
    """Sum of values (N,)."""
    out = 0.0
    for i in range(len(values)):
        out += values[i]
    return out


@compiled
def weighted(vectors, weight):  # pragma: no cover
    """Sum of weight times vector, shape (3,), and sum of weight."""
    x = y = z = out = 0.0
    for i in range(len(weight)):
        m = np.float64(weight[i])
        x += m * vectors[i, 0]
        y += m * vectors[i, 1]
        z += m * vectors[i, 2]
        out += m
    return np.array([x, y, z]), out


@compiled
def dispersion(vectors, mass):  # pragma: no cover
    """Sum of mass times squared distance from the mean, over that of mass."""
    moment, weight = weighted(vectors, mass)
    mean = moment / weight
    out = 0.0
    for i in range(len(mass)):
        a, b, c = vectors[i, 0] - mean[0], vectors[i, 1] - mean[1], vectors[i, 2] - mean[2]
        out += mass[i] * (a * a + b * b + c * c)
    return out / weight


@compiled
def known(values, bits, exponent, weight):  # pragma: no cover
    """Sums of weight times value and of weight where the value is finite by its bits."""
    out = there = 0.0
    for i in range(len(values)):
        if (bits[i] & exponent) != exponent:
            out += np.float64(weight[i]) * values[i]
            there += weight[i]
    return out, there


@compiled
def middle(keys, weight):  # pragma: no cover
    """Row at which the sum of weights, in the order of keys, reaches half of all; -1 for none.

    Keys are non-negative integers, (N,). They are counted in bins, then those of the bin that the
    middle falls into in finer ones, until all of a bin are equal: nothing is sorted.
    """
    half = 0.0
    for i in range(len(weight)):
        half += weight[i]
    half /= 2
    if not half > 0:
        return -1
    rows = np.arange(len(keys))
    before = 0.0
    while True:
        low = high = keys[rows[0]]
        for i in rows:
            low, high = min(low, keys[i]), max(high, keys[i])
        if low == high:
            return rows[0]
        shift = 0
        while (high - low) >> shift >= _BINS:
            shift += 1
        bins = np.zeros(_BINS)
        for i in rows:
            bins[(keys[i] - low) >> shift] += weight[i]
        last, place = (high - low) >> shift, 0
        # Sums in another order can differ in their last digits, and miss the half.
        while place < last and before + bins[place] < half:
            before += bins[place]
            place += 1
        count = 0
        for i in rows:
            rows[count] = i
            count += ((keys[i] - low) >> shift) == place
        if count == 0:
            return rows[0]
        rows = rows[:count]
