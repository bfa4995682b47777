package data

import "hash/crc32"

const tinyWebPText = "UklGRiwAAABXRUJQVlA4TB8AAAAvAUAAAB8gEEjeHzqN+RcQFPwf3fxHZA/gBgwR/Q8BAA=="

// pillowResized is what Pillow 13.0.0 makes; see TestResizeIsPillows.
var pillowResized = map[[2]int][]uint8{
	{3, 2}:  {40, 100, 153, 102, 152, 111},
	{7, 9}:  {0, 7, 28, 63, 112, 175, 252, 10, 17, 38, 73, 122, 185, 177, 28, 35, 56, 91, 140, 203, 52, 45, 52, 73, 108, 157, 220, 41, 62, 69, 90, 125, 174, 237, 58, 79, 86, 107, 142, 191, 112, 75, 96, 103, 124, 159, 208, 15, 92, 114, 121, 142, 177, 226, 33, 110, 124, 131, 152, 187, 236, 43, 120},
	{4, 5}:  {4, 34, 111, 212, 35, 65, 142, 109, 66, 96, 173, 140, 97, 127, 153, 62, 128, 158, 184, 93},
	{14, 3}: {13, 15, 18, 25, 36, 50, 67, 88, 113, 141, 172, 180, 164, 156, 62, 64, 67, 74, 85, 99, 116, 137, 162, 176, 178, 149, 89, 58, 111, 113, 116, 123, 134, 148, 165, 186, 211, 175, 78, 49, 88, 107},
}

// crc is the checksum of a PNG's chunk.
func crc(b []byte) uint32 { return crc32.ChecksumIEEE(b) }
