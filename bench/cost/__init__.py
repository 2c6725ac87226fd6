"""What a day of ten liquid pairs costs: CPU seconds and bytes on disk, part by part."""
