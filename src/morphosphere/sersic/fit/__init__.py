"""Classical fits of Sérsic profiles, the peers of the network on the same images.

`Stamp` and `fit_galsim` are for other stages: a profile fitted to one image.
"""

from morphosphere.sersic.fit.leastsquares import fit_galsim
from morphosphere.sersic.fit.stamp import Fit, FitFault, Stamp

__all__ = ["Fit", "FitFault", "Stamp", "fit_galsim"]
