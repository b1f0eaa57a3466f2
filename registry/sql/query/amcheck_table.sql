SELECT msg FROM verify_heapam(%s::regclass)
