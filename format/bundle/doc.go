// Package bundle reads and writes the container of a bundle (*.hone): a zip
// archive whose parts are standard files, and a manifest.json with the
// format's version and the size and SHA-256 of every part.
//
// Reading trusts nothing: names, sizes and compression ratios are checked
// before anything is allocated, and every part against its digest, so that a
// truncated or altered bundle is told from a whole one and an archive made to
// exhaust memory is refused. Nothing is ever unpacked to disk. A digest finds
// damage, not a forger: whoever can replace a bundle can write a new manifest.
//
// It imports internal/atomicfile alone; model, serve and lifecycle import it.
// What a part holds is not known here, so a new kind of part needs no change;
// if it is large or does not compress, add its ending to stored. A change that
// older programs would misread raises Version.
package bundle
